"""Read files from an untrusted folder: follow no links, open nothing that can block, and read no
more than a limit."""

import os
import stat
from pathlib import Path

from tutor.errors import StoreError
from tutor.learner import disk

_CAREFULLY = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe would wait for somebody to write
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def entry_exists(path: Path) -> bool:
    """Whether there is anything at `path`, a link included. Raises `OSError` where that cannot be
    known: `Path.exists` says no then, or raises, as the version of Python will have it."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def read_untrusted(path: Path, largest: int) -> bytes:
    """Return the bytes of a file that someone else wrote. Raises `StoreError` where it cannot be
    read, is no ordinary file, or has more than `largest` bytes."""
    with disk.failures_in_words(path, "read"):
        if path.is_symlink():  # where the system has no way to refuse it while opening
            raise refusal(path, "is a link, which is not followed")
        descriptor = os.open(path, _CAREFULLY)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise refusal(path, "is not an ordinary file")
            data = file.read(largest + 1)
    if len(data) > largest:
        raise refusal(path, f"is larger than the {largest:,} bytes that are read")
    return data


def refusal(path: Path, why: str) -> StoreError:
    """Return the error for a file that was left out; `why` completes a sentence that begins with
    `path`."""
    return StoreError(f"{path} {why}.", "Look at it yourself; it was left out.")
