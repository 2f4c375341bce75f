"""What may stand beside the lessons of a course: its facts, and its glossary. Either is read only
when it is asked for, and only if it is not the one that was read last time."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.cache import Cache, Entry, Problem
from tutor.course.folder import read_file
from tutor.course.links import GLOSSARY
from tutor.course.reading.place import text_of
from tutor.errors import LessonError

if TYPE_CHECKING:
    from tutor.course.facts import Fact

FACTS = "facts.yaml"


class Companion:
    """A file that a course folder need not have."""

    NAME: str

    def __init__(self, folder: Path, cache: Cache) -> None:
        self._cache = cache
        self._data = b""
        self._key = ""
        self._entry: Entry | None = None
        file = folder / self.NAME
        try:
            if file.exists() or file.is_symlink():
                self._data = read_file(file, self.NAME)
                self._key = cache.key(self.NAME, self._data)
                self._entry = cache.get(self._key)
            else:
                self._entry = Entry()
        except LessonError as problem:
            self._entry = Entry(problems=(Problem.of(problem),))

    @property
    def known(self) -> bool:
        """Whether `entry` is there at once."""
        return self._entry is not None

    @property
    def entry(self) -> Entry:
        """What is known of the file."""
        if self._entry is None:
            try:
                self._entry = self._read()
            except LessonError as problem:
                self._entry = Entry(problems=(Problem.of(problem),))
            else:
                self._cache.put(self._key, self._entry)
        return self._entry

    def _read(self) -> Entry:
        """Raises `LessonError`."""
        raise NotImplementedError


class FactsFile(Companion):
    NAME = FACTS

    @cached_property
    def digest(self) -> bytes:
        return blake2b(self._data, digest_size=16).digest()

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """Empty where something is wrong with them."""
        return () if self.entry.problems or not self._data else self._parsed

    def _read(self) -> Entry:
        _ = self._parsed
        return Entry()

    @cached_property
    def _parsed(self) -> tuple[Fact, ...]:
        from tutor.course.facts import read_facts

        return read_facts(text_of(self._data, FACTS), FACTS)


class GlossaryFile(Companion):
    NAME = GLOSSARY

    def _read(self) -> Entry:
        from tutor.course.glossary import read_glossary

        read = read_glossary(text_of(self._data, GLOSSARY), GLOSSARY)
        problems = tuple(map(Problem.of, read.problems))
        return Entry(terms=read.terms, links=read.links, problems=problems)
