"""A copy of a learner's folder to look at, made by reading alone.

For those who look at the progress of others: nothing in the folder is written, made or locked.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tutor import private
from tutor.learner import disk
from tutor.learner.untrusted_files import entry_exists, read_untrusted, refusal

LARGEST = 64_000_000
"""Bytes of all files together: more than 200,000 answers."""
MOST_FILES = 50

_STATE, _LOG = "progress.json", "reviews.log"
_PASSED_OVER = ("lock", ".tmp")
"""How names end of what says nothing about the learner."""


def has_progress(folder: Path) -> bool:
    """Whether it is a learner's folder. Raises `OSError` where that cannot be known."""
    return entry_exists(folder / _LOG) or entry_exists(folder / _STATE)


@contextmanager
def snapshot(folder: Path) -> Iterator[Path]:
    """For the time of the block, a private folder with copies of the files in `folder`, to be
    opened as `Progress`. Raises `StoreError` where they cannot be read, or are none of ours."""
    with tempfile.TemporaryDirectory(prefix="tutor-") as place:
        left = LARGEST
        for name in _names(folder):
            data = read_untrusted(folder / name, left)
            left -= len(data)
            copy = private.open_file(Path(place) / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with os.fdopen(copy, "wb") as file:
                file.write(data)
        yield Path(place)


def _names(folder: Path) -> list[str]:
    """The files in `folder`, the state first: a log that is read after it knows all that it does,
    even if the learner answers something meanwhile."""
    names: list[str] = []
    with disk.failures_in_words(folder, "read"), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.endswith(_PASSED_OVER) and not entry.is_dir(follow_symlinks=False):
                names.append(entry.name)
            if len(names) > MOST_FILES:
                raise refusal(folder, f"has more than {MOST_FILES} files")
    return sorted(names, key=lambda name: (not name.startswith(_STATE), name))
