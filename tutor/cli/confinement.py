"""Restrict what a locked-down process can do, including the libraries that it uses.

The process can change files in one folder only, can start only the engine, and can't use the
network. Python raises an audit event before each of these actions
(https://docs.python.org/3/library/audit_events.html), and actions that are not allowed then raise
`PermissionError`. Malicious code could bypass audit events, but tutor runs no such code.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.truncate": 1,
             "os.chmod": 1, "os.chown": 1, "os.utime": 1}  # fmt: skip
"""The audit events for changes to files, with the number of paths in their arguments.

The paths are the event's first arguments.
"""
_NEVER = frozenset(
    (
        *("os.exec", "os.fork", "os.forkpty", "os.spawn", "os.startfile", "os.system"),
        *("pty.spawn", "webbrowser.open", "os.link", "os.symlink"),
    )
)


def confine(folder: Path, command: Sequence[str]) -> None:
    """Confine this process until it exits.

    From now on, it can change files only in `folder`, and can start programs only with a command
    line that begins with `command`.
    """
    confinement = _Confinement(folder, command)
    sys.addaudithook(confinement.heard)


class _Confinement:
    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self._folder = os.path.realpath(folder)
        self._command = list(command)

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Handle an audit event. Raises `PermissionError` if its action is not allowed."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and not isinstance(path, int):
                self._check(event, path)
        elif event in _CHANGING:
            for path in arguments[: _CHANGING[event]]:
                self._check(event, path)
        elif event in ("subprocess.Popen", "os.posix_spawn"):  # Popen may call posix_spawn
            program, command = arguments[:2]
            started = [program, *command[1:]]
            if command[0] != program or started[: len(self._command)] != self._command:
                raise PermissionError(f"not allowed for this login: {event}")
        elif event in _NEVER or (event == "socket.connect" and isinstance(arguments[1], tuple)):
            raise PermissionError(f"not allowed for this login: {event}")

    def _check(self, event: str, path: Any) -> None:
        if isinstance(path, int):  # The argument is the descriptor of a file that is already open.
            return
        place = os.path.realpath(os.fsdecode(path))
        inside = place == self._folder or place.startswith(self._folder + os.sep)
        if not inside and place != os.devnull:
            raise PermissionError(f"not allowed for this login: {event} {place}")
