"""Find out how much memory is free.

On Linux, the limits of control groups count too (a container's limit or a service's `MemoryMax=`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/")


def available_memory(root: Path = _ROOT) -> int | None:
    """Return the free memory in bytes, or None if the system does not report it.

    `root` is the folder that contains `proc` and `sys`.
    """
    left = [*_of_machine(root / "proc"), *_of_groups(root)]
    if sys.platform != "win32" and not left and "SC_AVPHYS_PAGES" in os.sysconf_names:
        left.append(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(left, default=None)


def _of_machine(proc: Path) -> Iterator[int]:
    with suppress(OSError, ValueError):
        yield 1024 * _entry(proc / "meminfo", "MemAvailable:")


def _of_groups(root: Path) -> Iterator[int]:
    """Yield the free memory under each limit of the process's control groups, in bytes.

    The process's own group can have a limit, and so can every group that contains it. In a
    container, the container's group is the topmost one. Only version 2 of control groups
    (cgroup v2) is supported.
    """
    top = root / "sys/fs/cgroup"
    group = top
    with suppress(OSError, ValueError):
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        own = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
        group = top.joinpath(*own)
    for folder in (group, *group.parents):
        if not folder.is_relative_to(top):
            return
        with suppress(OSError, ValueError):  # the root group has no limit
            yield _left_in(folder)


def _left_in(group: Path) -> int:
    """Return the free memory under a group's limit, in bytes.

    The group's usage includes cached files that have not been used for a while. The system reclaims
    their memory when necessary, so they count as free here. Raises `ValueError` if the group has no
    limit.
    """
    limit = int((group / "memory.max").read_text(encoding="ascii"))
    used = int((group / "memory.current").read_text(encoding="ascii"))
    return limit - used + _entry(group / "memory.stat", "inactive_file")


def _entry(file: Path, name: str) -> int:
    """Return the number after `name` in a file. Raises `ValueError` if `name` is missing."""
    for line in file.read_text(encoding="ascii").splitlines():
        words = line.split()
        if words[:1] == [name]:
            return int(words[1])
    raise ValueError(f"{file} has no {name}")
