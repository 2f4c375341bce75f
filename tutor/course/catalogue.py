"""The course: an outline of every lesson of a folder at once, and each lesson when it is asked for.

Opening a course reads its files but takes in only those that have changed since the last time
(`tutor.course.cache`), so that a course of 500 lessons opens about as fast as one of 12.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from hashlib import blake2b
from pathlib import Path
from stat import S_ISLNK, S_ISREG
from typing import TYPE_CHECKING

import msgspec

from tutor.course.cache import Cache, Entry, Problem
from tutor.course.links import GLOSSARY
from tutor.course.outline import Outline, outline_of
from tutor.course.place import MAXIMUM_BYTES, Place, text_of
from tutor.course.term import Term
from tutor.course.whole import whole
from tutor.errors import LessonError
from tutor.paths import lessons_folder
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.course.facts import Fact
    from tutor.course.lesson import Lesson
    from tutor.course.question import Question

FACTS = "facts.yaml"

MOST_READ = 40
"""Lessons that are read to their end when a course is opened and nothing is known of them yet. Of
more than that only the outlines are taken in: what is wrong inside is told when one is opened."""

_FILE_NAME = re.compile(r"[0-9].*\.md", re.DOTALL)


class Course:
    """`outlines` are sorted by number; `problems` say which files could not be used and why, so
    that one bad file never hides the others. `glossary` has the terms by id, in the order of the
    alphabet."""

    def __init__(
        self,
        lessons: Sequence[Lesson] = (),
        problems: Sequence[LessonError] = (),
        terms: Sequence[Term] = (),
        *,
        outlines: Sequence[Outline] | None = None,
        read: Callable[[Outline], Lesson] | None = None,
    ) -> None:
        """A course of `lessons` that are there already, or of lessons that `read` gives for one
        of `outlines`."""
        self._lessons = {lesson.id: lesson for lesson in lessons}
        self.outlines = tuple(map(outline_of, lessons) if outlines is None else outlines)
        self.problems = tuple(problems)
        self.glossary: Mapping[str, Term] = {term.id: term for term in terms}
        self._by_id = {outline.id: outline for outline in self.outlines}
        self._read = read

    def outline(self, lesson_id: str) -> Outline | None:
        return self._by_id.get(lesson_id)

    def lesson(self, lesson_id: str) -> Lesson | None:
        """The lesson with this id, the same object every time. Raises `LessonError` where its
        file was sound when the course was opened, and no longer is."""
        outline = self._by_id.get(lesson_id)
        if outline is None:
            return None
        if lesson_id not in self._lessons and self._read is not None:
            # threads that come here together are all given what the first of them has read
            self._lessons.setdefault(lesson_id, self._read(outline))
        return self._lessons.get(lesson_id)

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """All lessons, each read to its end: for those who look through a whole course. Raises
        `LessonError`."""
        return tuple(
            lesson for outline in self.outlines if (lesson := self.lesson(outline.id)) is not None
        )

    def question(self, question_id: str) -> tuple[Lesson, Question] | None:
        """A question and the lesson that it belongs to; question ids are unique in a course.
        Raises `LessonError`, as `lesson` does."""
        outline = self._lesson_of.get(question_id)
        lesson = self.lesson(outline.id) if outline else None
        question = lesson.question(question_id) if lesson else None
        return (lesson, question) if lesson and question else None

    @cached_property
    def _lesson_of(self) -> dict[str, Outline]:
        """The lesson of each question."""
        return {each.id: outline for outline in self.outlines for each in outline.questions}


class LessonSummary(msgspec.Struct, frozen=True):
    """One line of `tutor lessons --json`: how many screens and questions there are, how many
    questions of each type, and the ids of the labs."""

    id: str
    number: int
    title: str
    screens: int
    questions: int
    question_types: dict[str, int]
    labs: tuple[str, ...]


def load_course(folder: Path | None = None) -> Course:
    """The course in `folder` (default: the one that came with this version): lessons are files
    whose names begin with a digit and end with `.md`; beside them may stand a `glossary.md` and a
    `facts.yaml`.

    Raises `LessonError` only when the folder itself cannot be read.
    """
    folder = folder or lessons_folder()
    files = lesson_files(folder)
    cache = Cache(folder)
    problems: list[LessonError] = []
    facts = _FactsFile(folder, cache)
    unread: dict[str, bytes] = {}
    keys: dict[str, str] = {}
    for file in files:
        where = safe(file.name)
        try:
            data = read_file(file, where)
        except LessonError as problem:
            problems.append(problem)
            continue
        keys[where] = cache.key(file.name, data, facts.digest)
        if cache.get(keys[where]) is None:
            unread[where] = data
    glanced = len(unread) > MOST_READ
    for where, data in unread.items():
        taken_in = _glanced(data, where) if glanced else None
        cache.put(keys[where], taken_in or _outlined(data, where, facts))
    entries = [entry for key in keys.values() if (entry := cache.get(key)) is not None]
    problems += [problem.error for entry in entries for problem in entry.problems]
    problems.sort(key=lambda problem: (problem.file, problem.line))
    found = [entry.outline for entry in entries if entry.outline is not None]
    glossary = _glossary(folder, cache)
    cache.save()
    seen = whole(found, {term.id for term in glossary.terms}, glossary.links)
    problems += [problem.error for problem in (*facts.problems, *glossary.problems)]
    return Course(
        problems=(*problems, *seen.problems),
        terms=glossary.terms,
        outlines=seen.outlines,
        read=partial(_read, {safe(file.name): file for file in files}, facts),
    )


def _outlined(data: bytes, where: str, facts: _FactsFile) -> Entry:
    from tutor.course.parse import read_bytes  # what is not needed when nothing has changed

    outcome = read_bytes(data, where, facts.facts)
    if outcome.lesson is None:
        return Entry(problems=tuple(map(Problem.of, outcome.problems[:1])))
    return Entry(outline_of(outcome.lesson, where, outcome.lines, outcome.links))


def _glanced(data: bytes, where: str) -> Entry | None:
    from tutor.course.glance import glance

    try:
        outline = glance(text_of(data, where), where)
    except LessonError:
        return None
    return Entry(outline) if outline else None


def _read(files: Mapping[str, Path], facts: _FactsFile, outline: Outline) -> Lesson:
    from tutor.course.parse import parse_bytes

    where = outline.file
    lesson = parse_bytes(read_file(files[where], where), where, facts.facts)
    if lesson.id != outline.id:
        raise Place(where).error(
            f"This file had the lesson {outline.id!r} before, and now has {lesson.id!r}.",
            "Open the course again.",
        )
    return lesson


class _FactsFile:
    """The facts of a course folder, taken in only when they are needed. A folder need not have
    any."""

    def __init__(self, folder: Path, cache: Cache) -> None:
        self._data = b""
        self.problems: tuple[Problem, ...] = ()
        file = folder / FACTS
        try:
            if file.exists() or file.is_symlink():
                self._data = read_file(file, FACTS)
                self.problems = self._checked(cache)
        except LessonError as problem:
            self.problems = (Problem.of(problem),)
        self.digest = blake2b(self._data, digest_size=16).digest()

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """Empty where something is wrong with them."""
        return () if self.problems or not self._data else self._read()

    def _checked(self, cache: Cache) -> tuple[Problem, ...]:
        key = cache.key(FACTS, self._data)
        entry = cache.get(key)
        if entry is None:
            self._read()
            entry = Entry()
            cache.put(key, entry)
        return entry.problems

    def _read(self) -> tuple[Fact, ...]:
        from tutor.course.facts import read_facts

        return read_facts(text_of(self._data, FACTS), FACTS)


def _glossary(folder: Path, cache: Cache) -> Entry:
    file = folder / GLOSSARY
    if not (file.exists() or file.is_symlink()):
        return Entry()
    try:
        data = read_file(file, GLOSSARY)
        key = cache.key(GLOSSARY, data)
        entry = cache.get(key)
        if entry is None:
            from tutor.course.glossary import read_glossary

            read = read_glossary(text_of(data, GLOSSARY), GLOSSARY)
            problems = tuple(map(Problem.of, read.problems))
            entry = Entry(terms=read.terms, links=read.links, problems=problems)
            cache.put(key, entry)
    except LessonError as problem:
        return Entry(problems=(Problem.of(problem),))
    return entry


def lesson_files(folder: Path) -> list[Path]:
    """The lesson files of a folder, by name. Raises `LessonError`."""
    try:
        return sorted(file for file in folder.iterdir() if _FILE_NAME.fullmatch(file.name))
    except OSError as error:
        raise LessonError(
            f"The folder {safe(str(folder))} cannot be read ({_reason(error)}).",
            "Check the path and its permissions.",
        ) from error


def read_file(file: Path, where: str) -> bytes:
    """The bytes of a lesson file, as many as are needed to see that it is too large.

    `where` names the file in errors. Raises `LessonError`, for a link out of its folder too.
    """
    place = Place(where)
    try:
        mode = file.lstat().st_mode
        if S_ISLNK(mode):
            if not file.resolve().is_relative_to(file.parent.resolve()):
                raise place.error("The file is a link out of its folder.", "Copy the file itself.")
            mode = file.stat().st_mode
        if not S_ISREG(mode):
            raise place.error("This is not an ordinary file.", "Put a text file there.")
        with file.open("rb") as stream:
            return stream.read(MAXIMUM_BYTES + 1)
    except (OSError, RuntimeError) as error:  # a link that leads to itself: RuntimeError
        raise place.error(
            f"The file cannot be read ({_reason(error)}).", "Check that it is there and readable."
        ) from error


def course_summary(course: Course) -> tuple[LessonSummary, ...]:
    """What `tutor lessons --json` prints."""
    return tuple(
        LessonSummary(
            id=lesson.id,
            number=lesson.number,
            title=lesson.title,
            screens=len(lesson.screens),
            questions=len(lesson.questions),
            question_types=dict(Counter(each.type for each in lesson.questions)),
            labs=tuple(lab.id for lab in lesson.labs),
        )
        for lesson in course.outlines
    )


def _reason(error: OSError | RuntimeError) -> str:
    """Without the path, which the message names already. A link to itself: `RuntimeError`."""
    return (error.strerror if isinstance(error, OSError) else None) or "it leads nowhere"
