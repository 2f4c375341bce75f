"""How a lesson reads and fits: what a learner would trip over, though the lesson can be used."""

import difflib
from collections import Counter
from collections.abc import Iterator

from tutor.authoring.layout import HEIGHT, WIDTH, height, screen_height, too_wide
from tutor.course.lesson import Lab, Lesson, Screen
from tutor.course.questions.question import Question
from tutor.course.reading.markup import BLOCKS, markdown
from tutor.text import wrapped

GOOD_TITLE = 40
"""Columns; a screen's title shares its line with the lesson's place."""
TASK_LINES = 3
"""Lines of a lab's task that stay in view while the lab is done."""

Advice = tuple[str, str, str]
"""The id of what it is about (empty: the whole lesson), what is wrong, what to do."""


def advice(lesson: Lesson) -> Iterator[Advice]:
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


def _about_screen(screen: Screen) -> Iterator[Advice]:
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
        close = difflib.get_close_matches(info.casefold(), BLOCKS, n=1, cutoff=0.7)
        if close:
            yield screen.id, f"A block is marked {info!r}.", f"Did you mean `{close[0]}`?"


def _about_lab(lab: Lab) -> Iterator[Advice]:
    if wrapped(lab.task, WIDTH) > TASK_LINES:
        yield (
            lab.id,
            f"The task of the lab {lab.id!r} takes more than {TASK_LINES} lines.",
            "Shorten it: it stays on screen while the lab is done.",
        )
    if lab.kind == "stepper" and not lab.goals:
        yield lab.id, f"The lab {lab.id!r} has no goal.", "Add one that the live model can check."


def _about_question(question: Question) -> Iterator[Advice]:
    if question.screen is None:
        yield (
            question.id,
            f"The question {question.id!r} belongs to no screen.",
            "Add `screen: ...`, so that a learner can look the answer up.",
        )
    lines = height(question.ask, markdown()) + question.answer_lines(WIDTH)
    said = Counter([*question.reasons(), question.hint])
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
