"""Cache the parsed files of a course between starts of the program.

Each course has one cache file. The key of an entry is a hash of the parsed file's content and of
everything else that the entry depends on, so entries are never out of date. Users can delete the
cache at any time. A damaged cache is treated as empty.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path

import msgspec

from tutor import __version__, private
from tutor.course.folder import read_file
from tutor.course.links import Link
from tutor.course.outline import Outline
from tutor.course.term import Term
from tutor.errors import LessonError, NoHome
from tutor.paths import cache_folder
from tutor.text import safe

_PACKAGE = Path(__file__).resolve().parent.parent
_INCLUDED = re.compile(rb"```include\s+(tutor/[a-z0-9_/]+\.py)#")


class Problem(msgspec.Struct, frozen=True, array_like=True):
    """A `LessonError` in a form that can be stored in the cache."""

    file: str
    line: int
    problem: str
    next_step: str

    @classmethod
    def of(cls, error: LessonError) -> Problem:
        return cls(error.file, error.line, error.problem, error.next_step)

    @property
    def error(self) -> LessonError:
        return LessonError(self.problem, self.next_step, file=self.file, line=self.line)


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """The result of parsing one file.

    It contains a lesson's outline, a glossary's terms, or only the problems that were found.
    """

    outline: Outline | None = None
    terms: tuple[Term, ...] = ()
    links: tuple[Link, ...] = ()
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, error: LessonError) -> Entry:
        """Return the entry for a file that could not be parsed because of `error`."""
        return cls(problems=(Problem.of(error),))


class _Kept(msgspec.Struct):
    stamp: str
    entries: dict[str, Entry]


class Cache:
    """The cache entries of one course folder.

    `save` stores the entries that were read or added since the cache was opened, and drops all
    other entries.
    """

    def __init__(self, folder: Path) -> None:
        self._file = _file_for(folder)
        self._stamp = _stamp()
        self._before = self._read()
        self._now: dict[str, Entry] = {}
        self._states: dict[bytes, bytes] = {}

    def key(self, name: str, data: bytes, also: bytes = b"") -> str:
        """Return the cache key of a file.

        The key is a hash of the file's name, its content, any code that the file includes, and
        `also`, which contains all other data that the entry depends on.
        """
        digest = blake2b(digest_size=16)
        for part in (name.encode(), also, *self._included(data), data):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        return digest.hexdigest()

    def _included(self, data: bytes) -> Iterator[bytes]:
        for match in _INCLUDED.finditer(data):
            path = match[1]
            if path not in self._states:
                self._states[path] = _state(_PACKAGE.parent / path.decode())
            yield self._states[path]

    def get(self, key: str) -> Entry | None:
        entry = self._now.get(key) or self._before.get(key)
        if entry is not None:
            self._now[key] = entry
        return entry

    @property
    def empty(self) -> bool:
        """True if the cache had no entries when it was opened."""
        return not self._before

    def put(self, key: str, entry: Entry) -> None:
        self._now[key] = entry

    def save(self) -> None:
        """Write the entries to disk if they have changed.

        Errors are ignored, because the program can parse the files again the next time it starts.
        """
        if self._file is None or self._now.keys() == self._before.keys():
            return
        private.write_cache(self._file, msgspec.msgpack.encode(_Kept(self._stamp, self._now)))

    def _read(self) -> dict[str, Entry]:
        if self._file is None:
            return {}
        try:
            kept = msgspec.msgpack.decode(self._file.read_bytes(), type=_Kept)
        except (OSError, ValueError):
            return {}
        return kept.entries if kept.stamp == self._stamp else {}


class CourseFile:
    """A file in a course folder. `entry` is None until the file is parsed or found in the cache."""

    def __init__(
        self,
        path: Path,
        cache: Cache,
        parse: Callable[[bytes, str], Entry],
        *,
        also: bytes = b"",
        optional: bool = False,
        language: str = "",
    ) -> None:
        """Read the file, and look up its entry in the cache.

        `parse` converts the content and the name of the file to an entry, or raises `LessonError`.
        `also` contains everything else that the entry depends on. An `optional` file need not
        exist. `language` is the language of a translated file. Error messages show it before the
        file's name, as in "de/05-attention.md".
        """
        self.name = safe(f"{language}/{path.name}" if language else path.name)
        self.data = b""
        self.entry: Entry | None = None
        self._path, self._cache, self._parse, self._also = path, cache, parse, also
        if optional and not path.exists() and not path.is_symlink():
            self.entry = Entry()
            return
        try:
            self.data = read_file(path, self.name)
        except LessonError as problem:
            self.entry = Entry.of(problem)
        else:
            self.entry = None if cache.empty else cache.get(self._key())

    def read(self) -> Entry:
        """Return the file's entry. If there is none yet, parse the file."""
        if self.entry is None:
            try:
                return self.settle(self._parse(self.data, self.name))
            except LessonError as problem:
                return self.settle(Entry.of(problem))
        return self.entry

    def settle(self, entry: Entry) -> Entry:
        """Set the file's entry, and add it to the cache."""
        self.entry = entry
        self._cache.put(self._key(), entry)
        return entry

    def _key(self) -> str:
        return self._cache.key(self.name, self.data, self._also)


def _stamp() -> str:
    """Return a hash that changes with the version of tutor and with the code of this package."""
    states = [_state(file) for file in sorted((_PACKAGE / "course").rglob("*.py"))]
    return f"{__version__} {blake2b(b''.join(states), digest_size=16).hexdigest()}"


def _state(file: Path) -> bytes:
    """Return the size and modification time of a source file."""
    try:
        found = file.stat()
    except OSError:
        return b"-"
    return b"%d %d;" % (found.st_size, found.st_mtime_ns)


def _file_for(folder: Path) -> Path | None:
    """Return the path of a course's cache file, or None if the user has no cache directory."""
    name = blake2b(os.fsencode(folder.resolve()), digest_size=8).hexdigest()
    try:
        return cache_folder() / "courses" / f"{name}.cache"
    except NoHome:
        return None
