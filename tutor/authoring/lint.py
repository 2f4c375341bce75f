"""Check lesson files for their authors, without the model.

`tutor.authoring.claims` contains the checks that need the model. An error means that a lesson
cannot be used or contains a false statement. A warning means that a lesson is hard to read or
doesn't fit on the screen.
"""

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from tutor.authoring.advice import advice
from tutor.authoring.release import Release, changed, read_release
from tutor.course.consistency import usable_outlines
from tutor.course.facts import Fact, read_facts
from tutor.course.folder import FACTS, languages, lesson_files, original_folder, read_file
from tutor.course.glossary import Glossary, read_glossary
from tutor.course.lesson import Lesson, LiveGoal, Screen
from tutor.course.links import GLOSSARY
from tutor.course.outline import Outline, outline_of
from tutor.course.reading.parse import Outcome, measured_name, number_name, read_bytes
from tutor.course.reading.place import text_of
from tutor.course.translation import translated
from tutor.errors import LessonError
from tutor.labs.kit import registry
from tutor.text import safe

T = TypeVar("T")

Level = Literal["error", "warning"]


class Finding(msgspec.Struct, frozen=True):
    """One finding about a lesson file. `line` is counted from 1."""

    file: str
    line: int
    level: Level
    message: str
    next_step: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.level}: {self.message} {self.next_step}".rstrip()


class Sound(msgspec.Struct, frozen=True):
    """A lesson that could be parsed.

    `file` is the name of its file in findings. `lines` contains the lines of its parts and numbers
    (`Outcome.lines`). `translation` is True if the file translates another lesson.
    """

    path: Path
    file: str
    lesson: Lesson
    lines: Mapping[str, int]
    translation: bool = False

    def finding(self, name: str, level: Level, message: str, next_step: str) -> Finding:
        """Return a finding about the part with the key `name` (empty: about the whole lesson)."""
        return Finding(self.file, self.lines.get(name, 1), level, message, next_step)


class Report(msgspec.Struct, frozen=True):
    """The findings, sorted by file and line, and the lessons that can be used."""

    findings: tuple[Finding, ...]
    lessons: tuple[Sound, ...]


def look_over(paths: Sequence[Path], *, reworded: Container[str] = ()) -> Report:
    """Check lesson files, and return the findings and the lessons that can be used.

    Problems are returned, not raised. Each file is checked as part of the course in its folder.
    `reworded` contains the ids of lessons and questions whose text has changed since the last
    release, although their meaning has not.
    """
    findings: list[Finding] = []
    lessons: list[Sound] = []
    for path in dict.fromkeys(paths):
        folder = _Folder(path if path.is_dir() else path.parent)
        folders = [folder]
        if path.is_dir():
            folders += [_Folder(path / language) for language in languages(path)]
            for each in folders:
                findings += each.beside()
        for each in folders:
            found = each.about(each.files if path.is_dir() else [path], reworded)
            findings += found.findings
            lessons += found.lessons
    return Report(in_order(findings), tuple(lessons))


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return each finding once, sorted by line within each file.

    The order of the files does not change.
    """
    files = {finding.file: place for place, finding in reversed(list(enumerate(findings)))}
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda each: (files[each.file], each.line)))


class _Folder:
    """A folder of lesson files, with its glossary and its facts.

    If the folder contains translations, they are checked together with the original course: its
    facts, its glossary, and the lessons that are not translated.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._problems: list[Finding] = []
        shown = safe(str(folder))
        self.files: list[Path] = self._attempt(lambda: lesson_files(folder), [], shown)
        course = self._attempt(lambda: original_folder(folder), None, shown)
        self._originals: dict[str, Path] = {}
        """The files of the original course, by name, if this folder contains translations."""
        if course is not None:
            self._originals = {file.name: file for file in lesson_files(course)}
        course = course or folder
        self._facts: tuple[Fact, ...] = self._beside(course / FACTS, read_facts, ())
        self._glossary = self._beside(course / GLOSSARY, read_glossary, Glossary())
        glossaries = [self._glossary]
        if self._originals:
            glossaries.append(self._beside(folder / GLOSSARY, read_glossary, Glossary()))
        self._problems += [_error(each, GLOSSARY) for read in glossaries for each in read.problems]
        self._release = self._attempt(lambda: read_release(folder), Release(), shown)

    def _beside(self, file: Path, parse: Callable[[str, str], T], otherwise: T) -> T:
        """Parse a file that is not a lesson. Return `otherwise` if the file does not exist."""
        shown = safe(str(file))

        def read() -> T:
            return parse(text_of(read_file(file, shown), shown), shown)

        return self._attempt(read, otherwise, shown) if file.exists() else otherwise

    def _attempt(self, read: Callable[[], T], otherwise: T, shown: str) -> T:
        try:
            return read()
        except LessonError as problem:
            self._problems.append(_error(problem, shown))
            return otherwise

    def beside(self) -> list[Finding]:
        """Return the findings about the folder itself, its glossary and its facts."""
        if self.files or self._problems:
            return self._problems
        return [
            Finding(
                safe(str(self._folder)),
                1,
                "warning",
                "There are no lessons in this folder.",
                "Give lesson files names like 03-tokens.md.",
            )
        ]

    def about(self, asked: Sequence[Path], reworded: Container[str]) -> Report:
        """Return the report on the files in `asked`, which are checked with the whole folder."""
        here = {file.name for file in self.files}
        others = [file for file in self.files if file not in asked]
        others += [file for name, file in self._originals.items() if name not in here]
        findings: list[Finding] = []
        lessons: list[Sound] = []
        outlines = []
        for file in (*others, *asked):
            shown = safe(str(file))
            outcome = self._read(file, shown)
            if file in asked:
                findings += [_error(problem, shown) for problem in outcome.problems]
            if outcome.lesson is None:
                continue
            name = safe(file.name)
            outlines.append(outline_of(outcome.lesson, name, outcome.lines, outcome.links))
            if file in asked:
                lessons.append(
                    Sound(file, shown, outcome.lesson, outcome.lines, bool(self._originals))
                )
                findings += self._compared(outlines[-1], shown)
        terms = {term.id for term in self._glossary.terms}
        shown_as = {safe(file.name): safe(str(file)) for file in asked}
        for problem in usable_outlines(outlines, terms).problems:
            if problem.file in shown_as:
                findings.append(
                    msgspec.structs.replace(_error(problem, ""), file=shown_as[problem.file])
                )
        for sound in lessons:
            findings += _unknown_goals(sound)
            findings += _unsaid(sound)
            for name, *said in changed(sound.lesson, self._release):
                if (name or sound.lesson.id) not in reworded:
                    findings.append(sound.finding(name, "error", *said))
            findings += [
                sound.finding(name, "warning", *said) for name, *said in advice(sound.lesson)
            ]
        return Report(tuple(findings), tuple(lessons))

    def _compared(self, outline: Outline, shown: str) -> Iterator[Finding]:
        """Yield an error for each part that a translation or its original lacks."""
        file = self._originals.get(outline.file)
        original = self._read(file, shown).lesson if file else None
        if original is not None:
            for problem in translated(outline_of(original), outline)[1]:
                yield msgspec.structs.replace(_error(problem, ""), file=shown)

    def _read(self, file: Path, shown: str) -> Outcome:
        try:
            return read_bytes(read_file(file, shown), shown, self._facts)
        except LessonError as problem:
            return Outcome(None, (problem,), {})


def _error(problem: LessonError, file: str) -> Finding:
    return Finding(problem.file or file, problem.line, "error", problem.problem, problem.next_step)


def _unknown_goals(sound: Sound) -> Iterator[Finding]:
    """Yield an error for each goal that the embedded lab of `tutor.labs` does not have."""
    for lab in sound.lesson.labs:
        if not lab.live:
            continue
        known = [goal.name for goal in registry.find(lab.live).goals]
        for goal in lab.goals:
            if isinstance(goal, LiveGoal) and goal.name not in known:
                yield sound.finding(
                    lab.id,
                    "error",
                    f"The lab {lab.live!r} has no goal {goal.name!r}.",
                    f"Its goals are {', '.join(known)}.",
                )


def _unsaid(sound: Sound) -> Iterator[Finding]:
    """Yield an error for each number that is listed for a screen but missing from its text."""
    for screen in sound.lesson.screens:
        text = _words(" ".join(_texts_of(sound.lesson, screen)))
        said = [
            (number_name(screen.id, index), number.says)
            for index, number in enumerate(screen.numbers)
        ]
        said += [
            (measured_name(screen.id, index), measured.says)
            for index, block in enumerate(screen.measured)
            for measured in block.numbers
        ]
        for name, says in said:
            if _words(says) not in text:
                yield sound.finding(
                    name,
                    "error",
                    f"The text of the screen {screen.id!r} does not contain {says[:60]!r}.",
                    "Copy the exact words from the text into `says`.",
                )


def _texts_of(lesson: Lesson, screen: Screen) -> Iterator[str]:
    yield screen.body
    if screen.prediction:
        yield from _strings(msgspec.to_builtins(screen.prediction))
    if screen.lab:
        yield from (screen.lab.task, screen.lab.done)
    for question in lesson.questions:
        if question.screen == screen.id:
            yield from _strings(msgspec.to_builtins(question))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)


def _words(text: str) -> str:
    """Return `text` on one line, without Markdown markup, for comparing texts."""
    unquoted = re.sub(r"^\s*> ?", "", text, flags=re.MULTILINE)
    return " ".join(re.sub(r"[*`\\]", "", unquoted).split())
