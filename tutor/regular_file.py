"""Read from paths that another person may control and that may not be regular files."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_FLAGS = (
    os.O_RDONLY
    # Without O_NONBLOCK, opening a pipe waits until another process writes to it.
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)


class NotRegular(OSError):
    """Raised when a path is not a regular file (for example, if it is a folder or a pipe)."""


def read_regular(path: Path, most: int, *, links: bool = True) -> bytes:
    """Return at most `most` bytes from the beginning of a file, and never wait for data.

    If `most` is -1, the whole file is read. To find out whether a file is larger than a limit, read
    one byte more than the limit. If `links` is False, a symbolic link is not followed, if the
    system supports this. Raises `NotRegular` or another `OSError`, and `ValueError` if `path`
    contains a null character.
    """
    with open_regular(path, links=links) as file:
        # `read` reserves memory for as many bytes as it is asked for.
        size = os.fstat(file.fileno()).st_size
        return file.read(min(most, size) if most >= 0 else -1)


def open_regular(path: Path, *, links: bool = True) -> BinaryIO:
    """Open a file for reading, and never wait. Raises the same errors as `read_regular`."""
    descriptor = os.open(path, _FLAGS if links else _FLAGS | _NO_LINKS)
    try:
        check_regular(descriptor, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def check_regular(descriptor: int, path: Path) -> None:
    """Raise `NotRegular` if an open file, whose path is `path`, is not a regular file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise NotRegular(errno.EINVAL, "not a regular file", str(path))
