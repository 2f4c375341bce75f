"""Create files and folders that only their owner can access, regardless of the umask.

Existing files stay readable by everyone who can already read them, because the owner may want that.
However, only their owner can write to them.
"""

import errno
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tutor import paths
from tutor.errors import NoHome

FILE = 0o600
FOLDER = 0o700
_OTHERS_WRITE = 0o022
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}  # Some network file systems cannot sync a folder.
_BINARY = getattr(os, "O_BINARY", 0)  # Without this flag, Windows translates line endings.


def begin() -> None:
    """Set the umask, so that other users can't access the files that this process creates."""
    os.umask(0o077)


def make_folder(folder: Path, mode: int = FOLDER) -> None:
    """Create `folder` and its missing parents with the mode `mode`. Raises `OSError`.

    Existing folders in the data folder are changed so that only their owner can write to them.
    """
    data = _data_folder()
    for place in (*reversed(folder.parents), folder):
        if not place.is_dir():
            place.mkdir(mode, exist_ok=True)
            with suppress(OSError):  # The file system has no permission bits.
                place.chmod(mode)
        elif data is not None and (place == data or data in place.parents):
            _close(place)


def open_file(path: Path, flags: int) -> int:
    """Open a file and return its descriptor. A new file is private. Raises `OSError`."""
    descriptor = os.open(path, flags | _BINARY, FILE)
    _close(descriptor)
    return descriptor


def create_file(path: Path) -> int:
    """Create a file, and return a descriptor for writing. Raises `OSError`.

    An existing file or link at `path` is replaced, so this never writes to a file that another
    account has created or opened.
    """
    path.unlink(missing_ok=True)
    return open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)


def sync_folder(folder: Path) -> None:
    """Write the directory entries of `folder` to disk, except on Windows. Raises `OSError`."""
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


def write_cache(path: Path, data: bytes) -> None:
    """Write a cache file atomically.

    If this fails, ignore the `OSError` and leave `path` unchanged.
    """
    with suppress(OSError):
        replace_file(path, data, sync=False)  # tutor creates the cache again when it needs it


def replace_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a file atomically, so that a crash leaves it complete: with the old or the new data.

    Without `sync`, a power failure can leave it empty. Raises `OSError` if the file cannot be
    written, and leaves `path` unchanged.
    """
    make_folder(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            if sync:
                stream.flush()
                os.fsync(stream.fileno())
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _close(place: Path | int) -> None:
    """Make a folder, or an open file given by its descriptor, writable only by its owner."""
    mode = os.stat(place).st_mode  # noqa: PTH116  (it may be a descriptor)
    if sys.platform != "win32" and mode & _OTHERS_WRITE:
        with suppress(OSError):  # Another account owns the file, or the file system is read-only.
            os.chmod(place, mode & 0o7777 & ~_OTHERS_WRITE)  # noqa: PTH101


def _data_folder() -> Path | None:
    try:
        return paths.data_folder()
    except NoHome:
        return None
