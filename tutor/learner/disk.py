"""What the files of a learner need from the disk: privacy, durability, and errors in words."""

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

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}  # the answer of some network file systems


@contextlib.contextmanager
def failures_in_words(path: Path, doing: str) -> Iterator[None]:
    """Turn an `OSError` into the `StoreError` that says what it means for the learner.

    `doing` completes the sentence "... could not be": "read", "saved".
    """
    try:
        yield
    except OSError as error:
        raise in_words(error, path, doing) from error


def in_words(error: OSError, path: Path, doing: str) -> StoreError:
    if error.errno in _FULL:
        return StoreFull(
            f"There is no space left for {path}, so the latest change could not be {doing}.",
            "Everything saved before is safe. Free some space and do it again.",
        )
    if error.errno in _FORBIDDEN and doing != "read":
        return read_only(path.parent)
    return StoreError(
        f"{path} could not be {doing}: {error.strerror or error}.",
        "Check that the disk is there and that the file is yours, then do it again.",
    )


def read_only(folder: Path) -> StoreReadOnly:
    return StoreReadOnly(
        f"{folder} cannot be written to. You can read and try everything, but nothing new is kept.",
        "Make this folder writable, or set TUTOR_DATA to a folder that is, and start again.",
    )


def writable(folder: Path) -> bool:
    """Whether files can be made in `folder`, or the folder itself where it does not exist yet."""
    try:
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        return existing.is_dir() and os.access(existing, os.W_OK)
    except (OSError, StopIteration):
        return False


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, or raise the `OSError` that prevented it.

    The kernel may take a part without an error (the disk became full within it): asking it to
    take the rest brings the reason out.
    """
    while data:
        data = data[os.write(descriptor, data) :]


def size(path: Path) -> int:
    """Bytes of a file; 0 where there is none. Raises `StoreError`."""
    with failures_in_words(path, "read"):
        try:
            return path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return 0


def append(path: Path, data: bytes) -> None:
    """Add `data` to a file, which is made where it is missing, and wait until the disk has it.

    Raises `StoreFull`, `StoreReadOnly` or `StoreError`; then the file is as it was before.
    """
    with failures_in_words(path, "saved"):
        new = not path.exists()
        descriptor = private.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
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
            sync_folder(path.parent)


def cut(path: Path, length: int) -> None:
    """Take from the end of a file what was just appended to it, if the disk lets us."""
    with contextlib.suppress(OSError):
        os.truncate(path, length)


def sync_folder(folder: Path) -> None:
    """Make new names in `folder` survive a power cut, where the system can (Windows cannot)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def write_temporary(path: Path, data: bytes) -> Path:
    """A file beside `path` with `data` in it, on disk, to be moved over `path`.

    Its name is fixed, so that killed writers leave one file and not many: the caller holds the
    lock. On failure no file is left.
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


def replace(path: Path, data: bytes, prepare: Callable[[Path], object] = lambda new: None) -> None:
    """Put `data` into the file `path`, all of it or nothing, and wait until the disk has it.
    `prepare` gets the new file before it is moved over the old one."""
    new = write_temporary(path, data)
    prepare(new)
    move(new, path)
    sync_folder(path.parent)


def keep_copy(path: Path, copy: Path) -> None:
    """Make `copy` a second name of the file `path`, which is about to be replaced.

    A hard link costs no space and no time; where there are none, the bytes are copied.
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
    """Rename over `target`. Windows refuses while another process reads it: keep trying for 1 s."""
    give_up = time.monotonic() + 1.0
    while True:
        try:
            source.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
