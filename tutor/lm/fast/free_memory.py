"""How much memory can still be taken: what the system has left, and what the limits leave that
Linux sets to groups of processes (a container's, a service's `MemoryMax=`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/")


def available_memory(root: Path = _ROOT) -> int | None:
    """Bytes; None where the system does not say. `root` is where `proc` and `sys` are."""
    left = [*_of_machine(root / "proc"), *_of_groups(root)]
    if sys.platform != "win32" and not left and "SC_AVPHYS_PAGES" in os.sysconf_names:
        left.append(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(left, default=None)


def _of_machine(proc: Path) -> Iterator[int]:
    with suppress(OSError, ValueError):
        yield 1024 * _entry(proc / "meminfo", "MemAvailable:")


def _of_groups(root: Path) -> Iterator[int]:
    """What each limit leaves: the process's own group may have one, and every group around it
    (control groups, version 2). A container sees its own group at the top."""
    top = root / "sys/fs/cgroup"
    group = top
    with suppress(OSError, ValueError):
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        own = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
        group = top.joinpath(*own)
    for folder in (group, *group.parents):
        if not folder.is_relative_to(top):
            return
        with suppress(OSError, ValueError):  # of the topmost of all, nothing is told
            yield _left_in(folder)


def _left_in(group: Path) -> int:
    """Raises `ValueError` where there is no limit. Files that nobody has looked into for a while
    count as used there; the system takes their memory back when it is needed."""
    limit = int((group / "memory.max").read_text(encoding="ascii"))
    used = int((group / "memory.current").read_text(encoding="ascii"))
    return limit - used + _entry(group / "memory.stat", "inactive_file")


def _entry(file: Path, name: str) -> int:
    """The number behind a name. Raises `ValueError` where there is none."""
    for line in file.read_text(encoding="ascii").splitlines():
        words = line.split()
        if words[:1] == [name]:
            return int(words[1])
    raise ValueError(f"{file} has no {name}")
