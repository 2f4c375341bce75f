"""Find the socket of a shared engine and check that it can be trusted, or create a new one."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from tutor import paths, private
from tutor.errors import EngineError

assert sys.platform != "win32"  # asyncio doesn't support Unix sockets on Windows

WAITING = 128
"""The socket's backlog: how many connections can wait while an engine restarts."""


def find() -> Path | None:
    """Return the socket path of a trusted shared engine, or None if there is none.

    If there are several sockets, an engine that was killed may have left some of them, so those on
    which an engine listens come first.
    """
    found = [path for path in paths.engine_sockets() if _is_socket(path) and trusted(path)]
    if len(found) > 1:
        found.sort(key=listens, reverse=True)
    return found[0] if found else None


def listens(path: Path) -> bool:
    """Return True if an engine listens on the socket, even if it is too busy to answer now."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def trusted(path: Path) -> bool:
    """Return True if only a trusted account could have created the socket at this path.

    The app sends what the learner types to the socket, so the socket must have been created by the
    administrator, by this account, or by an account that the administrator chose. No other account
    may have write access to the socket's folder. The folder may belong to another account if only
    the administrator and this account have write access to all folders above it, because the
    administrator must then have given it to that account.
    """
    mine = {0, os.getuid()}
    try:
        folder = path.parent.resolve().stat()
        above = [parent.stat() for parent in path.parent.resolve().parents]
    except OSError:
        return False
    if _open_to_others(folder):
        return False
    return folder.st_uid in mine or all(
        each.st_uid in mine and not _open_to_others(each) for each in above
    )


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Create a listening socket at `path`, and remove it at the end of the `with` block.

    Every account with access to the socket's folder can connect. Raises `EngineError` if another
    engine uses the path or if the folder is not writable.
    """
    with _exclusive(path), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            _bind(listener, path)
        except OSError as error:
            raise EngineError(
                f"The socket {path} could not be created: {error.strerror or error}.",
                "Choose another path with --socket.",
            ) from error
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


def _bind(listener: socket.socket, path: Path) -> None:
    path.unlink(missing_ok=True)  # an engine that was killed has left this socket
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    _allow_those_who_may_enter(path)
    listener.listen(WAITING)


def inherited() -> socket.socket | None:
    """Return the socket that systemd passed to this process, or None (see sd_listen_fds(3))."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    return socket.socket(fileno=3)


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        if not path.parent.exists():
            private.make_folder(path.parent, 0o755 if os.getuid() == 0 else private.FOLDER)
        lock = FileLock(path.with_suffix(".lock"), mode=0o600)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise EngineError(
            f"Another engine already uses {path}.", "Run `tutor engine --status`."
        ) from error
    except OSError as error:
        raise EngineError(
            f"The folder {path.parent} is not writable: {error.strerror}.",
            "Choose another path with --socket.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _allow_those_who_may_enter(path: Path) -> None:
    folder = path.parent.stat()
    mode = 0o600
    if folder.st_mode & stat.S_IXGRP:
        mode |= 0o060
        with contextlib.suppress(OSError):
            os.chown(path, -1, folder.st_gid)
    if folder.st_mode & stat.S_IXOTH:
        mode |= 0o006
    path.chmod(mode)


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _open_to_others(status: os.stat_result) -> bool:
    return bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
