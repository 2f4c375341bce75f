"""A copy of a learner's folder to look at, made by reading alone.

For those who look at the progress of others. Nothing in the folder is written, made or locked, and
whatever stands in it is taken as coming from a stranger: no link is followed, nothing is opened
that could make the reader wait, and no more is read than any learner has.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tutor.errors import StoreError
from tutor.learner import disk

LARGEST = 64_000_000
"""Bytes of all files together: more than 200,000 answers."""
MOST_FILES = 50

_STATE, _LOG = "progress.json", "reviews.log"
_PASSED_OVER = ("lock", ".tmp")
"""How names end of what says nothing about the learner."""
_CAREFULLY = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe would wait for somebody to write
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def has_progress(folder: Path) -> bool:
    """Whether it is a learner's folder. Raises `OSError` where that cannot be known."""
    return exists(folder / _LOG) or exists(folder / _STATE)


def exists(path: Path) -> bool:
    """Whether there is anything at `path`, a link included. Raises `OSError` where that cannot be
    known: `Path.exists` says no then, or raises, as the version of Python will have it."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


@contextmanager
def snapshot(folder: Path) -> Iterator[Path]:
    """For the time of the block, a private folder with copies of the files in `folder`, to be
    opened as `Progress`. Raises `StoreError` where they cannot be read, or are none of ours."""
    with tempfile.TemporaryDirectory(prefix="tutor-") as place:
        left = LARGEST
        for name in _names(folder):
            data = read_file(folder / name, left)
            left -= len(data)
            copy = disk.open_private(Path(place) / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with os.fdopen(copy, "wb") as file:
                file.write(data)
        yield Path(place)


def read_file(path: Path, largest: int) -> bytes:
    """The bytes of a file of somebody else. Raises `StoreError` where it cannot be read, is no
    ordinary file, or has more than `largest` bytes."""
    with disk.failures_in_words(path, "read"):
        if path.is_symlink():  # where the system has no way to refuse it while opening
            raise _refused(path, "is a link, which is not followed")
        descriptor = os.open(path, _CAREFULLY)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _refused(path, "is not an ordinary file")
            data = file.read(largest + 1)
    if len(data) > largest:
        raise _refused(path, f"is larger than the {largest:,} bytes that are read")
    return data


def _names(folder: Path) -> list[str]:
    """The files in `folder`, the state first: a log that is read after it knows all that it does,
    even if the learner answers something meanwhile."""
    names: list[str] = []
    with disk.failures_in_words(folder, "read"), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.endswith(_PASSED_OVER) and not entry.is_dir(follow_symlinks=False):
                names.append(entry.name)
            if len(names) > MOST_FILES:
                raise _refused(folder, f"has more than {MOST_FILES} files")
    return sorted(names, key=lambda name: (not name.startswith(_STATE), name))


def _refused(path: Path, why: str) -> StoreError:
    return StoreError(f"{path} {why}.", "Look at it yourself; it was left out.")
