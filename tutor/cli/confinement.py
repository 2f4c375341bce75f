"""The last line of a login that is locked down: this process changes files in one folder, starts
the engine, and reaches no network, whatever a library that it uses tries.

Python tells of such things in audit events, before they are done
(https://docs.python.org/3/library/audit_events.html). What is refused here fails as it would for
want of permission. It is no wall against code that means ill, which could go around Python; none
is run here.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.truncate": 1,
             "os.chmod": 1, "os.chown": 1, "os.utime": 1}  # fmt: skip
"""Events whose first arguments are paths that would change."""
_NEVER = frozenset(
    (
        *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile"),
        *("os.system", "pty.spawn", "webbrowser.open", "os.link", "os.symlink"),
    )
)


def confine(folder: Path, command: Sequence[str]) -> None:
    """From now on, until this process ends: files change only in `folder`, and the only program
    that is started is the one whose command line begins as `command`."""
    confinement = _Confinement(folder, command)
    sys.addaudithook(confinement.heard)


class _Confinement:
    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self._folder = os.path.realpath(folder)
        self._command = list(command)

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raises `PermissionError` for what is not to be done."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and not isinstance(path, int):
                self._check(event, path)
        elif event in _CHANGING:
            for path in arguments[: _CHANGING[event]]:
                self._check(event, path)
        elif event == "subprocess.Popen":
            if list(arguments[1])[: len(self._command)] != self._command:
                raise PermissionError(f"refused here: {event}")
        elif event in _NEVER or (event == "socket.connect" and isinstance(arguments[1], tuple)):
            raise PermissionError(f"refused here: {event}")

    def _check(self, event: str, path: Any) -> None:
        if isinstance(path, int):  # a file that is open already
            return
        place = os.path.realpath(os.fsdecode(path))
        inside = place == self._folder or place.startswith(self._folder + os.sep)
        if not inside and place != os.devnull:
            raise PermissionError(f"refused here: {event} {place}")
