"""Files and folders for their owner alone, whatever the umask says.

What is new is closed to everybody else. What is there already keeps who may read it, for somebody
may have given them that; who else may write it loses that.
"""

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
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would otherwise translate line ends


def begin() -> None:
    """From now on, what this process and any library in it writes is for its owner alone."""
    os.umask(0o077)


def make_folder(folder: Path, mode: int = FOLDER) -> None:
    """Make `folder` and whatever is missing above it, with this mode. Inside the learner's own
    folder, nobody else may write afterwards. Raises `OSError`."""
    data = _data_folder()
    for place in (*reversed(folder.parents), folder):
        if not place.is_dir():
            place.mkdir(mode, exist_ok=True)
            with suppress(OSError):  # a medium without modes
                place.chmod(mode)
        elif data is not None and (place == data or data in place.parents):
            _close(place)


def open_file(path: Path, flags: int) -> int:
    """A file descriptor; a new file is readable by its owner alone. Raises `OSError`."""
    descriptor = os.open(path, flags | _BINARY, FILE)
    _close(descriptor)
    return descriptor


def create_file(path: Path) -> int:
    """A descriptor to write a file that nobody else has open, under a name that was free or is
    made free: what somebody put there beforehand, a link or a file of theirs, is not written to.
    Raises `OSError`."""
    path.unlink(missing_ok=True)
    return open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)


def keep(path: Path, data: bytes) -> None:
    """Write the file of a cache, all of it or nothing. Where that is not possible, nothing
    happens."""
    with suppress(OSError):
        make_folder(path.parent)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)


def _close(place: Path | int) -> None:
    """Take the right to write to a folder or an open file from everybody else."""
    mode = os.stat(place).st_mode  # noqa: PTH116  (a descriptor, perhaps)
    if sys.platform != "win32" and mode & _OTHERS_WRITE:
        with suppress(OSError):  # not ours, or on a read-only medium
            os.chmod(place, mode & 0o7777 & ~_OTHERS_WRITE)  # noqa: PTH101


def _data_folder() -> Path | None:
    try:
        return paths.data_folder()
    except NoHome:
        return None
