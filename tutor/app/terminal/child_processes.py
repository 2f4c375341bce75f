"""End a program that tutor has started, with all programs that it has started itself.

The value of EDITOR is often a script. A signal ends the script, but not the editor that it runs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PATIENCE = 2.0
"""The maximum time, in seconds, that the programs may take to save something and exit."""
_POLLED = 0.02
"""The time, in seconds, between two checks whether the programs have exited."""


def end(process: subprocess.Popen[bytes], number: int) -> None:
    """Send the signal `number` to a process and its descendants, and wait until they exit.

    Processes that don't exit in time are killed. Another thread must wait for `process`.
    """
    if sys.platform == "win32":
        process.kill()
        return
    found = _family(process.pid)
    # A stopped process receives the signal only when it continues.
    _send(found, number)
    _send(found, signal.SIGCONT)
    deadline = time.monotonic() + PATIENCE
    while found := _running(found | _family(process.pid)):
        if time.monotonic() > deadline:
            _send(found, signal.SIGKILL)
            return
        time.sleep(_POLLED)


def _send(processes: Iterable[int], number: int) -> None:
    for pid in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _running(processes: set[int]) -> set[int]:
    return processes & _parents().keys()


def _family(pid: int) -> set[int]:
    """Return the ids of a process and of its descendants."""
    parents = _parents()
    found, new = set[int](), {pid}
    while new:
        found |= new
        new = {each for each, parent in parents.items() if parent in new} - found
    return found


def _parents() -> dict[int, int]:
    """Return a mapping from each running process to its parent, without processes that exited."""
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        lines = [_stat(each) for each in proc.iterdir() if each.name.isdigit()]
    else:
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,stat=,ppid="], capture_output=True, text=True, check=False
        )
        lines = [line.split() for line in listed.stdout.splitlines()]
    return {int(line[0]): int(line[2]) for line in lines if line and line[1][0] not in "ZX"}


def _stat(folder: Path) -> list[str]:
    """Return the id, the state and the parent of a process on Linux, or [] if it has exited."""
    try:
        # The second field is the name of the program in parentheses, with any characters in it.
        status = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
    return [folder.name, *status[:2]]
