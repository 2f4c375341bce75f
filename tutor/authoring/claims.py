"""What a lesson says about the model, and what there is to say about the model's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tutor.authoring import rounding
from tutor.authoring.lint import Finding, Sound
from tutor.authoring.measured import bm25, recorded
from tutor.course.goals import description
from tutor.course.measured import Bm25, Cases, Entry, Measured, OfCases, Record, Score
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.reading.parse import measured_name, number_name
from tutor.errors import LessonError

if TYPE_CHECKING:
    from tutor.authoring.ask import Ask
    from tutor.course.lesson import Lab, Quoted

CLEAR_FACTOR = 2.0
"""One prompt of a `compare` question gives its token so many times as much, or more."""
CLEAR_BITS = 1.0
"""The same for entropies: one bit is twice as many equally probable tokens."""
CLEAR_EDGE = 1.25
"""The last token that counts for a `next-token` question is so many times as probable as the first
that does not, or more: the kernels of another machine must not turn them round."""


if TYPE_CHECKING:
    Claim = Callable[[Ask], Iterator[Finding]]
    """Asks the model something, and says what is wrong with the lesson then."""


def claims(sound: Sound) -> Iterator[Claim]:
    """Everything in a lesson that only the model can confirm."""
    for screen in sound.lesson.screens:
        for index, number in enumerate(screen.numbers):
            name = number_name(screen.id, index)
            yield partial(_number, sound, name, number)
        for index, block in enumerate(screen.measured):
            yield partial(_measured, sound, measured_name(screen.id, index), block)
    for lab in sound.lesson.labs:
        yield partial(_lab, sound, lab)
    for question in sound.lesson.questions:
        if isinstance(question, ComparePrompts):
            yield partial(_compare, sound, question)
        elif isinstance(question, NextTokenQuestion):
            yield partial(_next_token, sound, question)


def _ignore_progress(done: int, total: int) -> None:
    """Do nothing with the number of claims that are checked."""


def check(
    lessons: Sequence[Sound],
    ask: Ask,
    on_claim: Callable[[int, int], None] = _ignore_progress,
) -> list[Finding]:
    """What the model says against these lessons; `on_claim` hears how many claims have been
    looked at, of how many."""
    everything = [claim for sound in lessons for claim in claims(sound)]
    findings: list[Finding] = []
    for done, claim in enumerate(everything):
        on_claim(done, len(everything))
        findings += claim(ask)
    return findings


def _number(sound: Sound, name: str, number: Quoted, ask: Ask) -> Iterator[Finding]:
    value = ask.quoted(number)
    if value.trouble:
        yield sound.finding(name, "error", value.trouble, "Correct `token`.")
    elif value.number is None:
        if not _plain(value.text).startswith(_plain(number.says)):
            yield sound.finding(
                name,
                "error",
                f"It says {number.says[:60]!r}, where the model writes"
                f" {value.text[: max(30, len(number.says))]!r}.",
                "Quote what the model writes.",
            )
    else:
        what = f"{number.value} after {number.prompt[-40:]!r}"
        yield from _figure(
            sound, name, number.says, value.number, number.value == "probability", what
        )


def _measured(sound: Sound, name: str, block: Measured, ask: Ask) -> Iterator[Finding]:
    for number in block.numbers:
        try:
            yield from _of_measured(sound, name, block, number, ask)
        except LessonError as trouble:
            yield sound.finding(
                name,
                "error",
                f"{number.says[:60]!r} cannot be computed: {trouble.problem}",
                "Correct the block.",
            )


def _of_measured(
    sound: Sound, name: str, block: Measured, number: OfCases | Score | Entry, ask: Ask
) -> Iterator[Finding]:
    what, share, value = "BM25", False, 0.0
    if isinstance(block, Cases) and isinstance(number, OfCases):
        found = ask.outcomes(block, number.prompt)
        if found.trouble:
            raise LessonError(found.trouble)
        share = number.value == "share" or (number.value == "right" and "%" in number.says)
        what, value = number.value, found.value(number, in_percent=share)
    elif isinstance(block, Bm25) and isinstance(number, Score):
        value = bm25(block, number)
    elif isinstance(block, Record) and isinstance(number, Entry):
        entry = recorded(block, number)
        if isinstance(entry, str):
            if not _plain(entry).startswith(_plain(number.says)):
                yield sound.finding(
                    name,
                    "error",
                    f"It says {number.says[:60]!r}, where {block.file} has {entry[:60]!r}.",
                    "Quote what stands there.",
                )
            return
        what, value = number.at, entry
    yield from _figure(sound, name, number.says, value, share, what)


def _figure(
    sound: Sound, name: str, says: str, value: float, share: bool, what: str
) -> Iterator[Finding]:
    """Whether `says` quotes `value`; `what` tells what that is."""
    match rounding.quoted(says, value, share=share):
        case None:
            yield sound.finding(
                name,
                "error",
                f"{says[:60]!r} has to have one number in figures.",
                "Quote the number with its unit alone.",
            )
        case False:
            computed = rounding.as_quoted(says, value, share=share)
            yield sound.finding(
                name,
                "error",
                f"It says {says[:60]!r}, where it is {computed} ({what}).",
                "Write what was computed.",
            )


def _lab(sound: Sound, lab: Lab, ask: Ask) -> Iterator[Finding]:
    if lab.goals and not lab.solution and lab.kind != "live":
        yield sound.finding(
            lab.id,
            "error",
            f"The lab {lab.id!r} has no solution.",
            "List under `solution` one way to reach its goals, so that it can be tried.",
        )
    outcome = ask.lab(lab)
    if outcome.trouble:
        at = f" at step {outcome.step} of its solution" if outcome.step else ""
        yield sound.finding(
            lab.id, "error", f"The lab {lab.id!r} fails{at}: {outcome.trouble}", "Correct it."
        )
        return
    for place in outcome.at_start:
        yield sound.finding(
            lab.id,
            "error",
            f"A goal of the lab {lab.id!r} is reached before anything is done:"
            f" {description(lab.goals[place], lab)}.",
            "Ask for something that has to be brought about.",
        )
    if not lab.solution and lab.kind != "live":
        return
    for place, goal in enumerate(lab.goals):
        if place not in outcome.reached:
            said = description(goal, lab)
            yield sound.finding(
                lab.id,
                "error",
                f"The solution of the lab {lab.id!r} does not reach a goal: {said}.",
                "Correct the solution, or ask for less.",
            )


def _compare(sound: Sound, question: ComparePrompts, ask: Ask) -> Iterator[Finding]:
    pair = ask.compared(question)
    if pair.trouble:
        yield sound.finding(question.id, "error", pair.trouble, "Correct `token`.")
        return
    low, high = sorted(pair.values)
    if question.value == "probability":
        clear = high >= CLEAR_FACTOR * low
        said = " and ".join(f"{100 * value:.3g} %" for value in pair.values)
    else:
        clear = high - low >= CLEAR_BITS
        said = " and ".join(f"{value:.2f} bits" for value in pair.values)
    if not clear:
        yield sound.finding(
            question.id,
            "warning",
            f"The prompts of the question {question.id!r} are close: {said}.",
            f"Choose prompts that differ by a factor of {CLEAR_FACTOR:g} (by {CLEAR_BITS:g} bit).",
        )


def _next_token(sound: Sound, question: NextTokenQuestion, ask: Ask) -> Iterator[Finding]:
    rows = ask.ranked(question).tokens
    (last, least), (beyond, next_best) = rows[question.within - 1], rows[question.within]
    if least < CLEAR_EDGE * next_best:
        yield sound.finding(
            question.id,
            "warning",
            f"For the question {question.id!r}, {last} counts and {beyond} does not,"
            f" with {100 * least:.3g} % and {100 * next_best:.3g} %.",
            "Choose another `within`, or another prompt.",
        )


def _plain(text: str) -> str:
    """Without marks of Markdown and with single spaces: a quotation may be laid out anew."""
    for mark in "␣⏎":
        text = text.replace(mark, " ")
    return " ".join(text.replace("*", "").replace("`", "").split())
