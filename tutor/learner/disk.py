"""Read and write a learner's files privately and durably, with clear error messages."""

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tutor import private
from tutor.errors import StoreError
from tutor.learner.errors import StoreFull, StoreReadOnly
from tutor.regular_file import check_regular

_APPENDING = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_APPEND
    # Without O_NONBLOCK, opening a pipe waits until another process reads from it.
    | getattr(os, "O_NONBLOCK", 0)
)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextlib.contextmanager
def failures_in_words(path: Path, doing: str) -> Iterator[None]:
    """Convert each `OSError` in the block to a `StoreError` that explains it to the learner.

    `doing` completes the message "… could not be …", for example with "read" or "saved".
    """
    try:
        yield
    except OSError as error:
        raise in_words(error, path, doing) from error


def in_words(error: OSError, path: Path, doing: str) -> StoreError:
    if error.errno in _FULL:
        return StoreFull(
            f"There is no space left for {path}, so the latest change could not be {doing}.",
            "Everything saved earlier is safe. Free some space, then try again.",
        )
    if error.errno in _FORBIDDEN and doing != "read":
        return read_only(path.parent)
    return StoreError(
        f"{path} could not be {doing}: {error.strerror or error}.",
        "Check that the disk is available and that you own the file, then try again.",
    )


def read_only(folder: Path) -> StoreReadOnly:
    return StoreReadOnly(
        f"{folder} is not writable. You can use everything, but no progress is saved.",
        "Make this folder writable, or set TUTOR_DATA to a writable folder, and restart tutor.",
    )


def writable(folder: Path) -> bool:
    """Return True if files can be created in `folder`, which need not exist yet."""
    try:
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        return existing.is_dir() and os.access(existing, os.W_OK)
    except (OSError, StopIteration):
        return False


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data` to a file descriptor. Raises `OSError`.

    On a full disk, `os.write` can write only part of the data without an error. The next call
    then raises the error.
    """
    while data:
        data = data[os.write(descriptor, data) :]


def size(path: Path) -> int:
    """Return the size of a file in bytes, or 0 if it does not exist. Raises `StoreError`."""
    with failures_in_words(path, "read"):
        try:
            return path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return 0


def append(path: Path, data: bytes) -> None:
    """Append `data` to a file, and flush it to disk. The file is created if it does not exist.

    Raises `StoreFull`, `StoreReadOnly` or `StoreError`, and leaves the file unchanged in these
    cases.
    """
    with failures_in_words(path, "saved"):
        new = not path.exists()
        descriptor = private.open_file(path, _APPENDING)
        try:
            check_regular(descriptor, path)
            before = os.fstat(descriptor).st_size
            try:
                write_all(descriptor, data)
                os.fsync(descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)
        if new:
            private.sync_folder(path.parent)


def cut(path: Path, length: int) -> None:
    """Truncate a file to `length` bytes to undo an append, ignoring errors."""
    with contextlib.suppress(OSError):
        os.truncate(path, length)


def write_temporary(path: Path, data: bytes) -> Path:
    """Write `data` to a temporary file next to `path`, and return the path of this file.

    The caller must hold the lock, and must then move the temporary file to `path`. The name of the
    temporary file is always the same, so killed processes leave behind at most one temporary file.
    If an error occurs, the temporary file is deleted.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        descriptor = private.create_file(temporary)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return temporary


def replace(
    path: Path, data: bytes, before_move: Callable[[Path], object] = lambda new: None
) -> None:
    """Replace the contents of the file `path` atomically, and flush them to disk.

    `before_move` is called with the path of the temporary file when the new contents are on disk,
    just before this file replaces the old one.
    """
    new = write_temporary(path, data)
    before_move(new)
    move(new, path)
    private.sync_folder(path.parent)


def keep_copy(path: Path, copy: Path) -> None:
    """Copy the file `path` to `copy`. Call this before `path` is replaced.

    The copy is a hard link, which takes no space. If the system does not support hard links, the
    bytes are copied.
    """
    temporary = copy.with_name(copy.name + ".tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary)
    except (OSError, AttributeError, NotImplementedError):
        shutil.copyfile(path, temporary)
        temporary.chmod(private.FILE)
    move(temporary, copy)


def move(source: Path, target: Path) -> None:
    """Rename `source` to `target`, and replace `target` if it exists.

    Windows does not replace a file that another process is reading, so the function retries for one
    second.
    """
    give_up = time.monotonic() + 1.0
    while True:
        try:
            source.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
