"""Read files from an untrusted folder: follow no links, open nothing that can block.

No more than a given number of bytes is read.
"""

import os
import stat
from pathlib import Path

from tutor.errors import StoreError
from tutor.learner import disk

_CAREFULLY = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for a writer
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def entry_exists(path: Path) -> bool:
    """Return whether there is anything at `path`, even a link.

    Raises `OSError` if that cannot be determined. (`Path.exists` returns False or raises in
    that case, depending on the version of Python.)
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def read_untrusted(path: Path, largest: int) -> bytes:
    """Return the bytes of a file that someone else wrote.

    Raises `StoreError` if it cannot be read, is not an ordinary file, or has more than
    `largest` bytes.
    """
    with disk.failures_in_words(path, "read"):
        if path.is_symlink():  # for systems that cannot refuse links when opening
            raise refusal(path, "is a link, and links are not followed")
        descriptor = os.open(path, _CAREFULLY)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise refusal(path, "is not an ordinary file")
            data = file.read(largest + 1)
    if len(data) > largest:
        raise refusal(path, f"is larger than {largest:,} bytes")
    return data


def refusal(path: Path, why: str) -> StoreError:
    """Return the error for a file that was left out; `why` completes a sentence about `path`."""
    return StoreError(f"{path} {why}.", "The file was left out. Check it yourself.")
