"""The files of a folder that may be indexed, and why the others are not.

A folder of somebody's notes holds anything: programs, films, links that lead in circles, files
that nobody may read. What is no text is left out with a reason, and is no failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tutor.retrieval.errors import RetrievalError
from tutor.text import safe

SUFFIXES = frozenset({".md", ".markdown", ".txt", ".text", ".rst"})
MOST_BYTES = 5_000_000
"""Of a file. A long novel has a million; what has more is a log or a dump of data."""
LONGEST_LINE = 100_000
"""Characters. Prose has no such lines."""


class File(NamedTuple):
    """A file with a name that is one of a text. `path` is relative to the folder (a name need not
    be valid text: `name_of` makes some of it); `changed` is in nanoseconds."""

    path: Path
    size: int
    changed: int


class LeftOut(NamedTuple):
    path: Path
    reason: str


class Unfit(Exception):
    """Why a file is not indexed, in a few words."""


def files(folder: Path) -> Iterator[File | LeftOut]:
    """Everything in the folder and in those inside it, in a fixed order. Links are not followed,
    so that none leads in circles or out of the folder; names that begin with a point are hidden,
    and not looked at. Raises `RetrievalError` where the folder itself cannot be read."""
    top = Path()
    waiting = [top]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(folder / inside) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if inside == top:
                raise RetrievalError(
                    f"The folder {safe(str(folder))} cannot be read ({error.strerror}).",
                    "Check the path and its permissions.",
                ) from error
            yield LeftOut(inside, "cannot be read")
            continue
        deeper = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = inside / entry.name
            if entry.is_dir(follow_symlinks=False):
                deeper.append(path)
            else:
                yield _looked_at(entry, path)
        waiting += reversed(deeper)


def _looked_at(entry: os.DirEntry[str], path: Path) -> File | LeftOut:
    if entry.is_symlink():
        return LeftOut(path, "a link")
    if not entry.is_file(follow_symlinks=False):
        return LeftOut(path, "not a file")
    if path.suffix.lower() not in SUFFIXES:
        return LeftOut(path, "not named like a text")
    try:
        about = entry.stat(follow_symlinks=False)
    except OSError:
        return LeftOut(path, "cannot be read")
    if about.st_size > MOST_BYTES:
        return LeftOut(path, f"larger than {MOST_BYTES // 1_000_000} MB")
    return File(path, about.st_size, about.st_mtime_ns)


def read(folder: Path, file: File) -> bytes:
    """The bytes of a file. Raises `Unfit`."""
    try:
        with (folder / file.path).open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unfit("cannot be read") from error
    if len(data) > MOST_BYTES:
        raise Unfit(f"larger than {MOST_BYTES // 1_000_000} MB")
    return data


def text_of(data: bytes) -> str:
    """The text of a file, with plain line ends. Raises `Unfit`."""
    if b"\0" in data:
        raise Unfit("binary")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unfit("not UTF-8") from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(len(line) > LONGEST_LINE for line in text.split("\n")):
        raise Unfit(f"a line of more than {LONGEST_LINE:,} characters")
    return text


def name_of(path: Path) -> str:
    """A path as text for people and for the index, whatever its name is."""
    return safe(os.fsencode(path).decode("utf-8", "replace")).replace(os.sep, "/")
