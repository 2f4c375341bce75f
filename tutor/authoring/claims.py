"""Check a lesson's statements about the model."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from tutor.authoring import rounding
from tutor.authoring.ask import Ask
from tutor.authoring.interventions import column_of
from tutor.authoring.lint import Finding, Level, Sound
from tutor.authoring.measured import bm25, recorded
from tutor.authoring.tuning import tuned
from tutor.course.goals import description
from tutor.course.lesson import Lab
from tutor.course.measured import (
    Bm25,
    Cases,
    Entry,
    Measured,
    Number,
    OfCases,
    PatchedNumber,
    Patching,
    Record,
    Score,
    SteeredNumber,
    SteeringNumbers,
    TunedNumber,
    Tuning,
)
from tutor.course.model_value import Quoted
from tutor.course.prediction import NumberPrediction, Prediction, TokenPrediction
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.reading.parse import measured_name, number_name
from tutor.errors import LessonError

CLEAR_FACTOR = 2.0
"""The minimum ratio between the two probabilities of a `compare` question."""
CLEAR_BITS = 1.0
"""The minimum difference between the two entropies of a `compare` question, in bits.

A difference of one bit corresponds to twice as many equally probable tokens.
"""
CLEAR_EDGE = 1.25
"""The minimum ratio between two probabilities of a `next-token` question.

These are the probabilities of the last token that counts as right and of the token after it.
Rounding on another machine must not reverse their order.
"""

Remarks = Iterator[tuple[Level, str, str]]
"""The problems with a claim. Each is a level, a sentence, and a next step."""


class Claim(NamedTuple):
    """A statement in a lesson that only the model can confirm.

    `name` identifies the part of the lesson that contains the statement. Findings refer to it.
    """

    name: str
    look: Callable[[Ask], Remarks]


def claims(sound: Sound) -> Iterator[Claim]:
    """Yield all statements in a lesson that only the model can confirm."""
    for screen in sound.lesson.screens:
        for index, number in enumerate(screen.numbers):
            yield Claim(number_name(screen.id, index), partial(_number, number))
        for index, block in enumerate(screen.measured):
            yield Claim(measured_name(screen.id, index), partial(_measured, block))
    for prediction in sound.lesson.predictions:
        yield Claim(prediction.id, partial(_prediction, prediction))
    for lab in sound.lesson.labs:
        yield Claim(lab.id, partial(_lab, lab))
    for question in sound.lesson.questions:
        if isinstance(question, ComparePrompts):
            yield Claim(question.id, partial(_compare, question))
        elif isinstance(question, NextTokenQuestion):
            yield Claim(question.id, partial(_next_token, question))


def check(
    lessons: Sequence[Sound],
    ask: Ask,
    on_claim: Callable[[int, int], None] = lambda done, total: None,
) -> list[Finding]:
    """Check the claims in these lessons with the model, and return the findings.

    `on_claim` is called with the number of claims that have been checked and the total number.
    """
    everything = [(sound, claim) for sound in lessons for claim in claims(sound)]
    findings: list[Finding] = []
    for done, (sound, claim) in enumerate(everything):
        on_claim(done, len(everything))
        findings += [sound.finding(claim.name, *remark) for remark in claim.look(ask)]
    return findings


def _number(number: Quoted, ask: Ask) -> Remarks:
    value = ask.quoted(number)
    if value.trouble:
        yield "error", value.trouble, "Correct `token`."
    elif value.number is None:
        if not _quotes(number.says, value.text):
            written = value.text[: max(30, len(number.says))]
            yield (
                "error",
                f"The text says {number.says[:60]!r}, but the model writes {written!r}.",
                "Quote the text that the model writes.",
            )
    else:
        what = f"{number.value} after {number.prompt[-40:]!r}"
        yield from _figure(number.says, value.number, number.value == "probability", what)


def _prediction(prediction: Prediction, ask: Ask) -> Remarks:
    """Yield the problems with the answer to a prediction.

    The answer must be computable and within the range. If the answer is a token, it must be clearly
    more probable than all others, so that every machine gives the same answer.
    """
    if isinstance(prediction, TokenPrediction):
        (first, top), (second, next_) = ask.first_two(prediction).tokens
        if top < CLEAR_EDGE * next_:
            yield (
                "warning",
                f"{first!r} ({top:.1%}) and {second!r} ({next_:.1%}) are too close: the answer may"
                " differ on another machine.",
                "Use a prompt with a clearer continuation.",
            )
        return
    if prediction.computed is None or prediction.computed.value == "greedy":
        return
    value = ask.computed(prediction.computed)
    if value.number is None:
        yield "error", value.trouble, "Correct `token`."
    elif isinstance(prediction, NumberPrediction):
        number = prediction.as_answer(value.number).number or 0.0
        if not prediction.low <= number <= prediction.high:
            yield (
                "error",
                f"The answer is {number:.4g}, which is not between `low` and `high`.",
                "Correct the range.",
            )


def _measured(block: Measured, ask: Ask) -> Remarks:
    for number in block.numbers:
        try:
            yield from _of_measured(block, number, ask)
        except LessonError as trouble:
            said = f"{number.says[:60]!r} cannot be computed: {trouble.problem}"
            yield "error", said, "Correct the block that describes it."


def _of_measured(block: Measured, number: Number, ask: Ask) -> Remarks:
    what, share, value = "BM25", False, 0.0
    if isinstance(block, Cases) and isinstance(number, OfCases):
        found = ask.outcomes(block, number.prompt)
        if found.trouble:
            raise LessonError(found.trouble)
        share = number.value == "share" or (number.value == "right" and "%" in number.says)
        what, value = number.value, found.value(number, in_percent=share)
    elif isinstance(block, Bm25) and isinstance(number, Score):
        value = bm25(block, number)
    elif isinstance(block, Tuning) and isinstance(number, TunedNumber):
        share = number.value != "bits"
        what, value = f"{number.value} after {number.after[-40:]!r}", tuned(number)
    elif isinstance(block, Patching) and isinstance(number, PatchedNumber):
        share = number.value == "first"
        what = f"{number.component} after block {number.block}, at token {number.at}"
        value = ask.patched(block, column_of(number)).value(number)
    elif isinstance(block, SteeringNumbers) and isinstance(number, SteeredNumber):
        share = number.value != "perplexity"
        what = f"{number.value} at strength {number.strength:g}"
        if number.random:
            what += f", {number.pick} of {number.random} random vectors"
            value = ask.steered_at_random(block, number.strength, number.random).value(number)
        else:
            value = ask.steered(block, number.strength).value(number)
    elif isinstance(block, Record) and isinstance(number, Entry):
        entry = recorded(block, number)
        if isinstance(entry, str):
            if not _quotes(number.says, entry):
                said = f"The text says {number.says[:60]!r}, but {block.file} has {entry[:60]!r}."
                yield "error", said, "Quote the value in the record."
            return
        what, value = number.at, entry
    yield from _figure(number.says, value, share, what)


def _figure(says: str, value: float, share: bool, what: str) -> Remarks:
    """Yield a problem if `says` does not quote `value`. `what` describes the value."""
    match rounding.quoted(says, value, share=share):
        case None:
            said = f"{says[:60]!r} must contain exactly one number in digits."
            yield "error", said, "Quote only the number and its unit."
        case False:
            computed = rounding.as_quoted(says, value, share=share)
            said = f"The text says {says[:60]!r}, but the value is {computed} ({what})."
            yield "error", said, "Write the computed value."


def _lab(lab: Lab, ask: Ask) -> Remarks:
    unsolved = not lab.solution and lab.kind != "live"
    if lab.goals and unsolved:
        yield (
            "error",
            f"The lab {lab.id!r} has no solution.",
            "Add a `solution` that reaches its goals, so that the linter can try it.",
        )
    outcome = ask.lab(lab)
    if outcome.trouble:
        at = f" at step {outcome.step} of its solution" if outcome.step else ""
        yield "error", f"The lab {lab.id!r} fails{at}: {outcome.trouble}", "Correct the lab."
        return
    for place in outcome.at_start:
        yield (
            "error",
            f"A goal of the lab {lab.id!r} is already reached at the start:"
            f" “{description(lab.goals[place], lab)}”.",
            "Choose a goal that requires an action.",
        )
    for place, goal in enumerate(() if unsolved else lab.goals):
        if place not in outcome.reached:
            said = description(goal, lab)
            yield (
                "error",
                f"The solution of the lab {lab.id!r} does not reach a goal: “{said}”.",
                "Correct the solution, or make the goal easier.",
            )


def _compare(question: ComparePrompts, ask: Ask) -> Remarks:
    pair = ask.compared(question)
    if pair.trouble:
        yield "error", pair.trouble, "Correct `token`."
        return
    low, high = sorted(pair.values)
    if question.value == "probability":
        clear = high >= CLEAR_FACTOR * low
        said = " and ".join(f"{100 * value:.3g} %" for value in pair.values)
    else:
        clear = high - low >= CLEAR_BITS
        said = " and ".join(f"{value:.2f} bits" for value in pair.values)
    if not clear:
        yield (
            "warning",
            f"The values in the question {question.id!r} are too close: {said}.",
            f"Choose prompts that differ by a factor of {CLEAR_FACTOR:g} (or {CLEAR_BITS:g} bit).",
        )


def _next_token(question: NextTokenQuestion, ask: Ask) -> Remarks:
    rows = ask.ranked(question).tokens
    (last, least), (beyond, next_best) = rows[question.within - 1], rows[question.within]
    if least < CLEAR_EDGE * next_best:
        yield (
            "warning",
            f"In the question {question.id!r}, {last} ({100 * least:.3g} %) counts, but {beyond}"
            f" ({100 * next_best:.3g} %) does not.",
            "Choose another `within`, or another prompt.",
        )


def _quotes(says: str, text: str) -> bool:
    """Return True if `text` begins with the quote `says`, ignoring whitespace and markup."""
    return _plain(text).startswith(_plain(says))


def _plain(text: str) -> str:
    """Return `text` without Markdown markup, and with single spaces."""
    for mark in "␣⏎":
        text = text.replace(mark, " ")
    return " ".join(text.replace("*", "").replace("`", "").split())
