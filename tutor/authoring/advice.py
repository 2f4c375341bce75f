"""Check valid lessons for problems that make them hard to read, such as long screens."""

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence

from tutor.authoring.layout import HEIGHT, WIDTH, height, screen_height, too_wide
from tutor.course.lesson import Lab, Lesson, Screen
from tutor.course.questions.question import Question
from tutor.course.reading.markup import BLOCKS, markdown
from tutor.text import counted, wrapped

GOOD_TITLE = 40
"""The maximum width of a screen title, which shares its line with the number of the screen."""
TASK_LINES = 3
"""The maximum number of lines of a lab's task that stay visible while the learner uses the lab."""

MIN_LEARNED, MAX_LEARNED = 2, 4
LEARNED_LINES = 8
"""The maximum number of lines of the `learned` sentences on the screen."""
BULLET = 2

Advice = tuple[str, str, str]
"""The id of the affected part (empty for the whole lesson), the problem, and the next step."""


def advice(lesson: Lesson) -> Iterator[Advice]:
    if not lesson.questions:
        yield (
            "",
            "The lesson asks no questions.",
            "Add some, because answering questions helps learners remember.",
        )
    if not lesson.labs:
        yield "", "The lesson has no lab.", "Add an exercise on the live model."
    yield from _about_learned(lesson.learned)
    for screen in lesson.screens:
        yield from _about_screen(screen)
        if screen.lab:
            yield from _about_lab(screen.lab)
    for question in lesson.questions:
        yield from _about_question(question)


def _about_learned(learned: Sequence[str]) -> Iterator[Advice]:
    """Yield advice about the `learned` sentences, which appear at the end of the lesson."""
    if not MIN_LEARNED <= len(learned) <= MAX_LEARNED:
        yield (
            "",
            f"`learned` has {counted(len(learned), 'sentence')}.",
            f"Say in {MIN_LEARNED} to {MAX_LEARNED} sentences what readers can now explain. They"
            " appear when the lesson ends.",
        )
    lines = sum(wrapped(sentence, WIDTH - BULLET) for sentence in learned)
    if lines > LEARNED_LINES:
        yield (
            "",
            f"`learned` takes {lines} lines at {WIDTH} columns.",
            f"Shorten it to {LEARNED_LINES} lines, so that the end of the lesson fits.",
        )


def _about_screen(screen: Screen) -> Iterator[Advice]:
    lines = screen_height(screen, markdown())
    if lines > HEIGHT:
        yield (
            screen.id,
            f"The screen {screen.id!r} takes {lines} lines at {WIDTH} columns;"
            f" a small terminal shows {HEIGHT}.",
            "Shorten it, or split it into two screens with one idea each.",
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
            "Make it narrower, because it cannot be wrapped.",
        )
    for token in markdown().parse(screen.body):
        info = token.info.strip() if token.type == "fence" else ""
        close = difflib.get_close_matches(info.casefold(), BLOCKS, n=1, cutoff=0.7)
        if close:
            yield screen.id, f"The block type {info!r} is unknown.", f"Did you mean `{close[0]}`?"


def _about_lab(lab: Lab) -> Iterator[Advice]:
    if wrapped(lab.task, WIDTH) > TASK_LINES:
        yield (
            lab.id,
            f"The task of the lab {lab.id!r} takes more than {TASK_LINES} lines.",
            "Shorten it, because it stays on screen during the lab.",
        )
    if lab.kind == "stepper" and not lab.goals:
        yield (
            lab.id,
            f"The lab {lab.id!r} has no goal.",
            "Add a goal that can be checked on the live model.",
        )


def _about_question(question: Question) -> Iterator[Advice]:
    if question.screen is None:
        yield (
            question.id,
            f"The question {question.id!r} does not belong to a screen.",
            "Add `screen: ...`, so that a learner can look up the answer.",
        )
    lines = height(question.ask, markdown()) + question.answer_lines(WIDTH)
    said = Counter([*question.reasons(), question.hint])
    if repeated := [text for text, times in said.items() if times > 1]:
        yield (
            question.id,
            f"The question {question.id!r} contains the same text twice: {repeated[0][:40]!r}.",
            "Give each hint and each `why` its own text.",
        )
    if lines > HEIGHT:
        yield (
            question.id,
            f"The question {question.id!r} takes {lines} lines before it is answered.",
            f"Shorten it to {HEIGHT} lines.",
        )
