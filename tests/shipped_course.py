"""The course of this repository, read only once by the tests of a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tutor import paths, private
from tutor.course.catalogue import Course, load_course


@cache
def shipped_course() -> Course:
    return load_course()


def with_cached_course(data: Path) -> Path:
    """Return the data folder after writing to it what the first start keeps of the course.

    Reading the course takes longer than the rest of a start.
    """
    for name, contents in _kept().items():
        file = data / name
        private.make_folder(file.parent)
        private.write_cache(file, contents)
    return data


@cache
def _kept() -> dict[str, bytes]:
    """Return the files in the cache of a course that was opened, by their paths."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTOR_DATA", folder)
        load_course()
        files = (each for each in paths.cache_folder().rglob("*") if each.is_file())
        return {str(each.relative_to(folder)): each.read_bytes() for each in files}
