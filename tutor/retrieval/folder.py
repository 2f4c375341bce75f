"""Find the files of a folder that can be indexed, and explain why other files are skipped.

A folder of notes may contain anything: programs, movies, circular links, unreadable files. A file
that is not text is not an error. It is skipped, and the reason is reported.
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
"""The maximum size of a file, in bytes.

A long novel has a million bytes. Larger files are usually logs or data.
"""
LONGEST_LINE = 100_000
"""The maximum number of characters in a line.

A file with a longer line is not prose.
"""


class File(NamedTuple):
    """A file that may contain text, judging by its name.

    `path` is relative to the folder. It may contain bytes that are not valid UTF-8; `name_of`
    replaces them. `size` is in bytes, and `changed` is the time of the last change, in nanoseconds.
    """

    path: Path
    size: int
    changed: int


class LeftOut(NamedTuple):
    path: Path
    reason: str


class Unfit(Exception):
    """An error that is raised if a file cannot be indexed. Its message is a short reason."""


def files(folder: Path) -> Iterator[File | LeftOut]:
    """Yield all files in the folder and its subfolders, in a fixed order.

    A file that cannot be indexed is yielded as `LeftOut`, with the reason. Links are not followed,
    because they could form a cycle or lead out of the folder. Files and folders with names that
    begin with a dot are ignored. Raises `RetrievalError` if the folder itself cannot be read.
    """
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
                    f"The folder {safe(str(folder))} could not be read ({error.strerror}).",
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
        return LeftOut(path, "a symbolic link")
    if not entry.is_file(follow_symlinks=False):
        return LeftOut(path, "not a regular file")
    if path.suffix.lower() not in SUFFIXES:
        return LeftOut(path, "not a text file, judging by its name")
    try:
        about = entry.stat(follow_symlinks=False)
    except OSError:
        return LeftOut(path, "cannot be read")
    if about.st_size > MOST_BYTES:
        return LeftOut(path, f"larger than {MOST_BYTES // 1_000_000} MB")
    return File(path, about.st_size, about.st_mtime_ns)


def read(folder: Path, file: File) -> bytes:
    """Return the bytes of a file. Raises `Unfit` if the file is unreadable or too large."""
    try:
        with (folder / file.path).open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unfit("cannot be read") from error
    if len(data) > MOST_BYTES:
        raise Unfit(f"larger than {MOST_BYTES // 1_000_000} MB")
    return data


def text_of(data: bytes) -> str:
    """Decode the bytes of a file as text with Unix line endings.

    Raises `Unfit` if the bytes are not UTF-8, or if a line is too long.
    """
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
    """Return a path as valid text to display and to store in the index.

    Bytes that are not valid UTF-8 are replaced.
    """
    return safe(os.fsencode(path).decode("utf-8", "replace")).replace(os.sep, "/")
