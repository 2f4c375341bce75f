"""Copy a learner's folder, so that its progress can be read without writing to the folder.

Teachers use this to read their learners' progress. No file in the learner's folder is written,
created or locked.
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
"""The maximum total size of the files to copy, in bytes.

This is enough for more than 200,000 answers.
"""
MOST_FILES = 50

_STATE, _LOG = "progress.json", "reviews.log"
_PASSED_OVER = ("lock", ".tmp")
"""The suffixes of files to skip because they contain nothing about the learner."""


def has_progress(folder: Path) -> bool:
    """Return True if `folder` is a learner's folder.

    Raises `OSError` if this cannot be determined.
    """
    return entry_exists(folder / _LOG) or entry_exists(folder / _STATE)


@contextmanager
def snapshot(folder: Path) -> Iterator[Path]:
    """Yield a private temporary folder with copies of the files in `folder`.

    It can be opened as `Progress`, and is deleted when the block ends. Raises `StoreError` if a
    file cannot be read or is not a regular file, or if the files exceed the limits.
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
    """Return the names of the files in `folder`, with the state file first.

    The log is copied later. It therefore contains all events in the copied state, even if the
    learner answers a question in the meantime.
    """
    names: list[str] = []
    with disk.failures_in_words(folder, "read"), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.endswith(_PASSED_OVER) and not entry.is_dir(follow_symlinks=False):
                names.append(entry.name)
            if len(names) > MOST_FILES:
                raise refusal(folder, f"has more than {MOST_FILES} files")
    return sorted(names, key=lambda name: (not name.startswith(_STATE), name))
