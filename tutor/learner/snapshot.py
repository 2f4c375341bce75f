"""Copy a learner's folder in order to look at it, without writing to it.

This is for looking at the progress of others: nothing in the folder is written, created or locked.
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
"""The largest size of all files together in bytes, more than 200,000 answers."""
MOST_FILES = 50

_STATE, _LOG = "progress.json", "reviews.log"
_PASSED_OVER = ("lock", ".tmp")
"""The ends of the names of files that contain nothing about the learner."""


def has_progress(folder: Path) -> bool:
    """Return whether `folder` is a learner's folder.

    Raises `OSError` if that cannot be determined.
    """
    return entry_exists(folder / _LOG) or entry_exists(folder / _STATE)


@contextmanager
def snapshot(folder: Path) -> Iterator[Path]:
    """Yield a private folder with copies of the files in `folder`, to be opened as `Progress`.

    The copies exist until the block ends. Raises `StoreError` if files cannot be read or are
    not a learner's.
    """
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
    """Return the names of the files in `folder`, the state first.

    A log that is read after the state includes everything in it, even if the learner answers
    something in the meantime.
    """
    names: list[str] = []
    with disk.failures_in_words(folder, "read"), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.endswith(_PASSED_OVER) and not entry.is_dir(follow_symlinks=False):
                names.append(entry.name)
            if len(names) > MOST_FILES:
                raise refusal(folder, f"has more than {MOST_FILES} files")
    return sorted(names, key=lambda name: (not name.startswith(_STATE), name))
