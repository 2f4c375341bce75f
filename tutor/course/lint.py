"""Looks lesson files over for their authors: what is wrong, and what a learner would trip over.

An error keeps a lesson from being used at all; a warning is about how it reads and fits.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tutor.course.catalogue import check_unique, lesson_files, read_file
from tutor.course.layout import HEIGHT, WIDTH, height, screen_height, too_wide, wrapped
from tutor.course.lesson import Lab, Lesson, Screen
from tutor.course.markup import markdown
from tutor.course.parse import read_bytes
from tutor.course.question import OrderQuestion, Question, SeveralChoices, SingleChoice
from tutor.errors import LessonError
from tutor.text import safe

GOOD_TITLE = 40
"""Columns; a screen's title shares its line with the lesson's place."""
TASK_LINES = 3
"""Lines of a lab's task that stay in view while the lab is done."""


_Warning = tuple[str, str, str]
"""The id of what it is about (empty: the whole lesson), what is wrong, what to do."""


class Finding(msgspec.Struct, frozen=True):
    """One thing to say about a lesson file; `line` counts from 1."""

    file: str
    line: int
    level: Literal["error", "warning"]
    message: str
    next_step: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.level}: {self.message} {self.next_step}".rstrip()


def lint(paths: Sequence[Path]) -> list[Finding]:
    """Findings about lesson files, or about all lessons in folders, file by file in the order
    of their lines. Raises nothing: what cannot be read is a finding too."""
    findings: list[Finding] = []
    sound: list[Lesson] = []
    for file in _files(paths, findings):
        here = sorted(_about(file, sound), key=lambda finding: finding.line)
        findings += here
    return findings


def _files(paths: Sequence[Path], findings: list[Finding]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        try:
            found = lesson_files(path)
        except LessonError as problem:
            findings.append(_error(problem, safe(str(path))))
            continue
        if not found:
            findings.append(
                Finding(
                    safe(str(path)),
                    1,
                    "warning",
                    "There is no lesson in this folder.",
                    "Name lesson files like 03-tokens.md.",
                )
            )
        yield from found


def _about(file: Path, sound: list[Lesson]) -> Iterator[Finding]:
    """What there is to say about one file; adds its lesson to `sound` when it has one."""
    shown = safe(str(file))
    try:
        outcome = read_bytes(read_file(file, shown), shown)
    except LessonError as problem:
        yield _error(problem, shown)
        return
    for found in outcome.problems:
        yield _error(found, shown)
    lesson = outcome.lesson
    if lesson is None:
        return
    try:
        check_unique(lesson, sound, shown)
    except LessonError as problem:
        yield _error(problem, shown)
    sound.append(lesson)
    for name, message, next_step in _warnings(lesson):
        yield Finding(shown, outcome.lines.get(name, 1), "warning", message, next_step)


def _error(problem: LessonError, file: str) -> Finding:
    return Finding(problem.file or file, problem.line, "error", problem.problem, problem.next_step)


def _warnings(lesson: Lesson) -> Iterator[_Warning]:
    if not lesson.questions:
        yield "", "The lesson asks no questions.", "Add some: they are what makes it stick."
    if not lesson.labs:
        yield "", "The lesson has no lab.", "Give the learner something to do on the live model."
    for screen in lesson.screens:
        yield from _about_screen(screen)
        if screen.lab:
            yield from _about_lab(screen.lab)
    for question in lesson.questions:
        yield from _about_question(question)


def _about_screen(screen: Screen) -> Iterator[_Warning]:
    lines = screen_height(screen, markdown())
    if lines > HEIGHT:
        yield (
            screen.id,
            f"The screen {screen.id!r} takes {lines} lines at {WIDTH} columns;"
            f" a small terminal shows {HEIGHT}.",
            "Shorten it, or make two screens of it: one idea a screen.",
        )
    if len(screen.title) > GOOD_TITLE:
        yield (
            screen.id,
            f"The title {screen.title!r} is longer than {GOOD_TITLE} characters.",
            "Shorten it.",
        )
    for line in too_wide(screen.body, markdown()):
        yield (
            screen.id,
            f"A line of code or a table is wider than {WIDTH} columns: {line.strip()[:40]!r}...",
            "Make it narrower; it cannot wrap.",
        )
    for token in markdown().parse(screen.body):
        info = token.info.strip() if token.type == "fence" else ""
        close = difflib.get_close_matches(info.casefold(), ["lab", "question"], n=1, cutoff=0.7)
        if close:
            yield screen.id, f"A block is marked {info!r}.", f"Did you mean `{close[0]}`?"


def _about_lab(lab: Lab) -> Iterator[_Warning]:
    if wrapped(lab.task, WIDTH) > TASK_LINES:
        yield (
            lab.id,
            f"The task of the lab {lab.id!r} takes more than {TASK_LINES} lines.",
            "Shorten it: it stays on screen while the lab is done.",
        )
    if lab.kind == "stepper" and not lab.goals:
        yield lab.id, f"The lab {lab.id!r} has no goal.", "Add one that the live model can check."


def _about_question(question: Question) -> Iterator[_Warning]:
    if question.screen is None:
        yield (
            question.id,
            f"The question {question.id!r} belongs to no screen.",
            "Add `screen: ...`, so that a learner can look the answer up.",
        )
    lines = height(question.ask, markdown())
    match question:
        case SingleChoice() | SeveralChoices():
            lines += 1 + sum(wrapped(choice.text, WIDTH - 5) for choice in question.choices)
            said = Counter([question.why, *(choice.why for choice in question.choices)])
        case OrderQuestion():
            lines += 1 + sum(wrapped(item, WIDTH - 5) for item in question.items)
            said = Counter([question.why])
        case _:
            lines += 2
            said = Counter([question.why])
    said[question.hint] += 1
    if repeated := [text for text, times in said.items() if times > 1]:
        yield (
            question.id,
            f"The question {question.id!r} says the same twice: {repeated[0][:40]!r}.",
            "Let each hint and each `why` say something of its own.",
        )
    if lines > HEIGHT:
        yield (
            question.id,
            f"The question {question.id!r} takes {lines} lines before it is answered.",
            f"Shorten it to {HEIGHT}.",
        )
