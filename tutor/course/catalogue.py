"""Open a course: the outlines of all its lessons at once, and each lesson when it is needed.

Opening a course reads all its files, but parses only those that have changed since the last time
(`tutor.course.cache`). If many files have changed, they are first scanned for their outlines only
(`outline_scan`). A course of 500 lessons therefore opens about as fast as a course of 12, even the
first time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tutor.course.cache import Cache, CourseFile, Entry, Problem
from tutor.course.consistency import usable_outlines
from tutor.course.folder import FACTS, lesson_files, read_file, translations_folder
from tutor.course.links import GLOSSARY
from tutor.course.outline import Outline, outline_of
from tutor.course.reading.place import Place, text_of
from tutor.course.term import Term
from tutor.course.translation import translated
from tutor.errors import LessonError
from tutor.paths import lessons_folder

if TYPE_CHECKING:
    from tutor.course.facts import Fact
    from tutor.course.lesson import Lesson
    from tutor.course.questions.question import Question

MOST_PARSED = 40
"""The maximum number of changed lessons that are parsed when a course is opened.

If more lessons have changed, all changed lessons are only scanned for their outlines. Problems
inside such a lesson are reported when the lesson is opened.
"""

_SCANS = 20
"""The number of lessons to scan per step. A step takes about as long as parsing one lesson."""


class Course:
    """The outlines and lessons of a course.

    `outlines` are sorted by number. `glossary` maps ids to terms, in alphabetical order. `problems`
    describe the files that could not be parsed; the course consists of all other files.
    """

    def __init__(
        self,
        lessons: Sequence[Lesson] = (),
        problems: Sequence[LessonError] = (),
        terms: Sequence[Term] = (),
        *,
        outlines: Sequence[Outline] | None = None,
        source: Opening | None = None,
    ) -> None:
        """Create a course from complete lessons, or from outlines and an open course folder.

        In the second case, `source` parses a lesson or the glossary when it is first needed.
        """
        self._lessons = {lesson.id: lesson for lesson in lessons}
        self.outlines = tuple(map(outline_of, lessons) if outlines is None else outlines)
        self.problems = tuple(problems)
        self._terms = terms
        self._by_id = {outline.id: outline for outline in self.outlines}
        self._source = source

    def outline(self, lesson_id: str) -> Outline | None:
        return self._by_id.get(lesson_id)

    def lesson(self, lesson_id: str) -> Lesson | None:
        """Return the lesson with this id, or None if there is none.

        Every call returns the same object. Raises `LessonError` if the file has become invalid
        since the course was opened.
        """
        outline = self._by_id.get(lesson_id)
        if outline is None:
            return None
        if lesson_id not in self._lessons and self._source is not None:
            # If several threads parse the lesson at the same time, all of them return the first
            # result.
            self._lessons.setdefault(lesson_id, self._source.lesson(outline))
        return self._lessons.get(lesson_id)

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """Return all lessons, parsed completely. Raises `LessonError`."""
        return tuple(
            lesson for outline in self.outlines if (lesson := self.lesson(outline.id)) is not None
        )

    def question(self, question_id: str) -> tuple[Lesson, Question] | None:
        """Return the question with this id and its lesson, or None if there is none.

        Question ids are unique in a course. Raises `LessonError` if the lesson's file has become
        invalid since the course was opened.
        """
        outline = self._lesson_of.get(question_id)
        lesson = self.lesson(outline.id) if outline else None
        question = lesson.question(question_id) if lesson else None
        return (lesson, question) if lesson and question else None

    @cached_property
    def glossary(self) -> Mapping[str, Term]:
        terms = self._source.terms() if self._source is not None else self._terms
        return {term.id: term for term in terms}

    @cached_property
    def _lesson_of(self) -> dict[str, Outline]:
        """Maps each question id to the outline of the lesson that contains the question."""
        return {each.id: outline for outline in self.outlines for each in outline.questions}


class LessonSummary(msgspec.Struct, frozen=True):
    """The data about one lesson in the output of `tutor lessons --json`.

    It includes the number of screens, questions and predictions, the number of questions of each
    type, and the ids of the labs.
    """

    id: str
    number: int
    title: str
    screens: int
    questions: int
    question_types: dict[str, int]
    labs: tuple[str, ...]
    predictions: int = 0


def load_course(
    folder: Path | None = None, most_parsed: int = MOST_PARSED, *, language: str = ""
) -> Course:
    """Return the course in `folder` (default: the bundled course), parsed completely.

    If a lesson is translated into `language` (such as "de"), the course contains the translation
    instead of the original. Raises `LessonError` only if the folder itself cannot be read.
    """
    opening = Opening(folder, most_parsed, language)
    for _step in opening.read_rest():
        pass
    return opening.course()


class Opening:
    """A course folder that is being opened.

    A lesson is a file whose name begins with a digit and ends with `.md`. The folder can also
    contain a `glossary.md` and a `facts.yaml`. Subfolders such as `de` contain translations of
    lessons and of the glossary, under the same names.

    `course` returns a usable course immediately, in which changed lessons may only have been
    scanned. `read_rest` takes longer: it parses these lessons to complete `problems`, and writes
    the cache. Run all its steps at once, or one at a time while the program is idle.
    """

    def __init__(
        self, folder: Path | None = None, most_parsed: int = MOST_PARSED, language: str = ""
    ) -> None:
        """Open `folder`.

        If more than `most_parsed` lessons are not in the cache, all of these are only scanned for
        their outlines. `language` is the code of the preferred language; a lesson without a
        translation stays in the original language. Raises `LessonError` if the folder itself cannot
        be read, or if no lesson is translated into `language`.
        """
        folder = folder or lessons_folder()
        self._files: dict[str, Path] = {}
        self._originals: list[str] = []
        self._language = language
        self._cache = Cache(folder)
        self._facts_file = CourseFile(folder / FACTS, self._cache, _facts_entry, optional=True)
        self._glossary = CourseFile(folder / GLOSSARY, self._cache, _glossary_entry, optional=True)
        self._beside = [self._facts_file, self._glossary]
        if language:
            translations = translations_folder(folder, language)
            path = translations / GLOSSARY
            self._beside.append(
                CourseFile(path, self._cache, _glossary_entry, optional=True, language=language)
            )
        facts = blake2b(self._facts_file.data, digest_size=16).digest()
        self._entries: dict[str, Entry] = {}
        self._unread: dict[str, CourseFile] = {}
        """The lessons that have not been parsed yet, by file name."""
        for path in lesson_files(folder):
            self._originals.append(self._add(path, facts))
            if language and (translations / path.name).exists():
                self._add(translations / path.name, facts, language)
        self._scans_only = len(self._unread) > most_parsed

    def _add(self, path: Path, facts: bytes, language: str = "") -> str:
        """Add a lesson file to the files of the course, and return its name."""
        file = CourseFile(path, self._cache, self._lesson_entry, also=facts, language=language)
        self._files[file.name] = path
        if file.entry is None:
            self._unread[file.name] = file
        else:
            self._entries[file.name] = file.entry
        return file.name

    @cached_property
    def _facts(self) -> tuple[Fact, ...]:
        """Return the facts of the course, or no facts if their file has a problem."""
        data = self._facts_file.data
        return _facts_of(data) if data and not self._facts_file.read().problems else ()

    def _lesson_entry(self, data: bytes, where: str) -> Entry:
        from tutor.course.reading.parse import read_bytes

        outcome = read_bytes(data, where, self._facts)
        if outcome.lesson is None:
            return Entry.of(outcome.problems[0])
        return Entry(outline_of(outcome.lesson, where, outcome.lines, outcome.links))

    def _scan(self, where: str) -> bool:
        """Scan a lesson for its outline. If the scan fails, parse the lesson.

        Returns True if the scan succeeded.
        """
        # Import this module only when a file has changed.
        from tutor.course.reading.outline_scan import scan_outline

        outline = scan_outline(self._unread[where].data, where)
        self._entries[where] = Entry(outline) if outline else self._unread.pop(where).read()
        return outline is not None

    @property
    def complete(self) -> bool:
        """True if all files have been read."""
        return not self._unread and all(file.entry is not None for file in self._beside)

    def read_rest(self) -> Iterator[None]:
        """Read the remaining files in small steps.

        A step parses one file. If only the outlines of the lessons are missing, a step scans
        several files.
        """
        if not self.complete:
            # Importing both modules takes longer than parsing a lesson.
            for module in ("blocks", "parse"):
                import_module(f"tutor.course.reading.{module}")
                yield
        for beside in self._beside:
            if beside.entry is None:
                beside.read()
                yield
        for number, where in enumerate(list(self._unread)):
            if not self._scans_only:
                self._entries[where] = self._unread.pop(where).read()
            elif where in self._entries or self._scan(where):
                self._unread.pop(where).settle(self._entries[where])
            if not self._scans_only or number % _SCANS == 0:
                yield
        self._cache.save()

    def course(self) -> Course:
        """Return the course with everything that has been parsed so far."""
        for where in list(self._unread):
            if where not in self._entries:
                self._scan(where)
        problems = [problem.error for each in self._entries.values() for problem in each.problems]
        problems.sort(key=lambda problem: (problem.file, problem.line))
        facts, glossary = self._facts_file.entry or Entry(), self._glossary.entry or Entry()
        problems += [problem.error for problem in (*facts.problems, *glossary.problems)]
        terms = {term.id for term in glossary.terms} if self._glossary.entry else None
        outlines = []
        for name in self._originals:
            outline = self._entries[name].outline
            translation = self._entries.get(f"{self._language}/{name}", Entry()).outline
            if outline is not None and translation is not None:
                outline, mismatch = translated(outline, translation)
                problems += mismatch
            if outline is not None:
                outlines.append(outline)
        seen = usable_outlines(outlines, terms, glossary.links)
        return Course(problems=(*problems, *seen.problems), outlines=seen.outlines, source=self)

    def lesson(self, outline: Outline) -> Lesson:
        """Parse the current content of a lesson's file. Raises `LessonError`."""
        from tutor.course.reading.parse import parse_bytes

        where = f"{outline.language}/{outline.file}" if outline.language else outline.file
        lesson = parse_bytes(read_file(self._files[where], where), where, self._facts)
        if lesson.id != outline.id:
            raise Place(where).error(
                f"This file now contains the lesson {lesson.id!r} instead of {outline.id!r}.",
                "Restart tutor to read the course again.",
            )
        return lesson

    def terms(self) -> Sequence[Term]:
        """Return the glossary terms, translated if there is a translation."""
        read = [file.read().terms for file in self._beside if file is not self._facts_file]
        terms = {term.id: term for each in read for term in each}
        return sorted(terms.values(), key=lambda term: (term.term.casefold(), term.id))


def _facts_entry(data: bytes, where: str) -> Entry:
    _facts_of(data)  # This call raises `LessonError` if the facts have a problem.
    return Entry()


@lru_cache(maxsize=1)
def _facts_of(data: bytes) -> tuple[Fact, ...]:
    from tutor.course.facts import read_facts

    return read_facts(text_of(data, FACTS), FACTS)


def _glossary_entry(data: bytes, where: str) -> Entry:
    from tutor.course.glossary import read_glossary

    read = read_glossary(text_of(data, where), where)
    problems = tuple(map(Problem.of, read.problems))
    return Entry(terms=read.terms, links=read.links, problems=problems)


def course_summary(course: Course) -> tuple[LessonSummary, ...]:
    """Return the data for `tutor lessons --json`."""
    return tuple(
        LessonSummary(
            id=lesson.id,
            number=lesson.number,
            title=lesson.title,
            screens=len(lesson.screens),
            questions=len(lesson.questions),
            question_types=dict(Counter(each.type for each in lesson.questions)),
            labs=tuple(lab.id for lab in lesson.labs),
            predictions=len(lesson.predictions),
        )
        for lesson in course.outlines
    )
