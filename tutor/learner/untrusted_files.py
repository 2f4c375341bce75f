"""Read files from an untrusted folder without following links and without blocking.

The size of each file is limited.
"""

import os
import stat
from pathlib import Path

from tutor.errors import StoreError
from tutor.learner import disk

_CAREFULLY = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # otherwise, opening a pipe waits for a writer
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def entry_exists(path: Path) -> bool:
    """Return whether `path` exists, even if it is a broken link.

    Raises `OSError` if that cannot be determined. (In that case, `Path.exists` returns False or
    raises an error, depending on the Python version.)
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def read_untrusted(path: Path, largest: int) -> bytes:
    """Return the contents of a file that someone else wrote.

    Raises `StoreError` if the file cannot be read, is not a regular file, or is larger than
    `largest` bytes.
    """
    with disk.failures_in_words(path, "read"):
        if path.is_symlink():  # for systems without O_NOFOLLOW
            raise refusal(path, "is a link, and links are not followed")
        descriptor = os.open(path, _CAREFULLY)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise refusal(path, "is not a regular file")
            data = file.read(largest + 1)
    if len(data) > largest:
        raise refusal(path, f"is larger than {largest:,} bytes")
    return data


def refusal(path: Path, why: str) -> StoreError:
    """Return the error for a file that is skipped; `why` completes a sentence about `path`."""
    return StoreError(f"{path} {why}.", "The file was skipped. Check it yourself.")
