"""Is an answer right, and what is there to say about it?

Pure functions: the same question and answer give the same verdict. Places of choices and items
are those in the lesson file, counted from 0, whatever the order on the screen was.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Literal

import msgspec

from tutor.course.questions.number import readings
from tutor.course.questions.question import (
    Choice,
    ComparePrompts,
    MatchQuestion,
    NextTokenQuestion,
    NumberQuestion,
    OrderQuestion,
    Question,
    SeveralChoices,
    SingleChoice,
    TextQuestion,
    type_name,
)
from tutor.course.questions.spelling import plain

Mark = Literal["right", "wrong", "missed", "left"]
"""Chosen and right; chosen and wrong; right but not chosen; wrong and rightly left alone."""


class Compared(msgspec.Struct, frozen=True):
    """Which of two prompts was chosen (0 or 1), and what the live model says at the end of each:
    the probability of the question's token (0 to 1), or the entropy in bits."""

    chosen: int
    values: tuple[float, float]


Answer = int | Set[int] | Sequence[int] | str | Compared
"""`single`: the place of the choice. `several`: the set of places. `order`: the places in the
learner's order. `match`: for each left side, the place of the right side given to it. `number` and
`text`: what was typed. `next-token`: the rank (from 1) that the live model gives to the guess."""


class Note(msgspec.Struct, frozen=True):
    """What to say beside one choice, item to be ordered, or left side to be matched."""

    mark: Mark
    why: str


class Verdict(msgspec.Struct, frozen=True):
    """What came of an answer.

    `counted` is False when the answer could not be understood ("abc" for a number): nothing is
    recorded, and the learner may type again. `message` is one or two sentences; the question's
    own `why` is not part of it. `notes` go with the choices, items or pairs, in the order of the
    file.
    """

    correct: bool
    message: str
    notes: tuple[Note, ...] = ()
    counted: bool = True


def grade(question: Question, answer: Answer) -> Verdict:
    """Grades any question. Raises `TypeError` when `answer` is not of the question's kind."""
    match question, answer:
        case SingleChoice(), int():
            return grade_single(question, answer)
        case SeveralChoices(), Set():
            return grade_several(question, answer)
        case NumberQuestion(), str():
            return grade_number(question, answer)
        case OrderQuestion(), Sequence() if not isinstance(answer, str):
            return grade_order(question, answer)
        case TextQuestion(), str():
            return grade_text(question, answer)
        case NextTokenQuestion(), int():
            return grade_next_token(question, answer)
        case MatchQuestion(), Sequence() if not isinstance(answer, str):
            return grade_match(question, answer)
        case ComparePrompts(), Compared():
            return grade_compare(question, answer)
    raise TypeError(f"{answer!r} is no answer to a question of type {type_name(question)}")


def grade_single(question: SingleChoice, chosen: int) -> Verdict:
    notes = _notes(question.choices, {chosen})
    correct = question.choices[chosen].right
    return Verdict(correct, "Right." if correct else "Not yet.", notes)


def grade_several(question: SeveralChoices, chosen: Set[int]) -> Verdict:
    """Right when all right choices, and no others, were chosen; otherwise says what was missed."""
    notes = _notes(question.choices, chosen)
    missed = sum(note.mark == "missed" for note in notes)
    wrong = sum(note.mark == "wrong" for note in notes)
    if not missed and not wrong:
        return Verdict(True, "Right, all of them and no other.", notes)
    parts = []
    if missed:
        parts.append(f"{missed} more {'is' if missed == 1 else 'are'} right")
    if wrong:
        parts.append(f"{wrong} that you chose {'does' if wrong == 1 else 'do'} not belong")
    return Verdict(False, f"Not yet: {' and '.join(parts)}.", notes)


def grade_number(question: NumberQuestion, typed: str) -> Verdict:
    """Right when within the tolerance, in any reading of what was typed."""
    numbers = readings(typed, question.unit)
    unit = f" {question.unit}" if question.unit else ""
    if not numbers:
        said = f"“{typed.strip()}” is not a number." if typed.strip() else "Nothing was typed."
        return Verdict(False, f"{said} Type digits, for example 0.25.", counted=False)
    slack = question.tolerance + 1e-9 * max(1.0, abs(question.answer))  # 0.1 + 0.2 is 0.3
    if any(abs(number - question.answer) <= slack for number in numbers):
        return Verdict(True, f"Right: {question.answer:.10g}{unit}.")
    too = "low" if numbers[0] < question.answer else "high"
    return Verdict(False, f"{numbers[0]:.10g}{unit} is too {too}.")


def grade_order(question: OrderQuestion, order: Sequence[int]) -> Verdict:
    """`order` holds the places of the items as the learner put them, first to last."""
    if sorted(order) != list(range(len(question.items))):
        raise ValueError(f"{order!r} is not an order of {len(question.items)} items")
    at_home = [order[place] == place for place in range(len(order))]
    notes = tuple(
        Note("right", f"Number {place + 1}.")
        if home
        else Note("wrong", f"Belongs to place {place + 1}; you put it at {order.index(place) + 1}.")
        for place, home in enumerate(at_home)
    )
    if all(at_home):
        return Verdict(True, "Right, every one in its place.", notes)
    return Verdict(False, f"{sum(at_home)} of {len(order)} are in their place.", notes)


def grade_text(question: TextQuestion, typed: str) -> Verdict:
    given = plain(typed)
    if not given:
        return Verdict(False, "Nothing was typed. Type a word or two.", counted=False)
    if given in {plain(spelling) for spelling in question.accept}:
        return Verdict(True, "Right.")
    return Verdict(False, f"“{typed.strip()}” is not it.")


def grade_next_token(question: NextTokenQuestion, rank: int) -> Verdict:
    """`rank` (from 1) is the place of the guess in the live model's distribution."""
    if rank < 1:
        raise ValueError(f"{rank} is no rank; the first is 1")
    if rank == 1:
        return Verdict(True, "Right: this is the model's most probable token.")
    correct = rank <= question.within
    count = (
        "only the first counts" if question.within == 1 else f"the first {question.within} count"
    )
    return Verdict(
        correct,
        f"{'Right' if correct else 'Not yet'}: the model has your guess at rank {rank:,}; {count}.",
    )


def grade_match(question: MatchQuestion, given: Sequence[int]) -> Verdict:
    """`given` holds, for each left side, the place of the right side that was chosen for it; the
    same one may have been chosen twice."""
    pairs = question.pairs
    if len(given) != len(pairs) or not all(0 <= place < len(pairs) for place in given):
        raise ValueError(f"{given!r} does not match {len(pairs)} pairs")
    at_home = [chosen == place for place, chosen in enumerate(given)]
    notes = tuple(
        Note("right", pair.why) if home else Note("wrong", f"Belongs to “{pair.right}”. {pair.why}")
        for pair, home in zip(pairs, at_home, strict=True)
    )
    if all(at_home):
        return Verdict(True, "Right, all of them.", notes)
    return Verdict(False, f"{sum(at_home)} of {len(pairs)} are matched.", notes)


def grade_compare(question: ComparePrompts, answer: Compared) -> Verdict:
    """Right when the prompt chosen has the larger value; where both have the same, either is."""
    chosen, other = answer.values[answer.chosen], answer.values[1 - answer.chosen]
    first, second = (_said_of(question, value) for value in answer.values)
    return compared(answer.chosen, chosen >= other, (first, second))


def compared(chosen: int, correct: bool, said: tuple[str, str] = ("", "")) -> Verdict:
    """What came of choosing the prompt at `chosen` (0 or 1); `said` goes with each of the two."""
    notes = tuple(
        Note(_mark((place == chosen) == correct, place == chosen), each)
        for place, each in enumerate(said)
    )
    return Verdict(correct, "Right." if correct else "Not yet.", notes)


def _said_of(question: ComparePrompts, value: float) -> str:
    if question.value == "entropy":
        return f"The entropy is {value:.1f} bits."
    return f"{question.token} gets {100 * value:.3g} %."


def _notes(choices: Sequence[Choice], chosen: Set[int]) -> tuple[Note, ...]:
    if not all(0 <= place < len(choices) for place in chosen):
        raise ValueError(f"{sorted(chosen)} are not places among {len(choices)} choices")
    return tuple(
        Note(_mark(choice.right, place in chosen), choice.why)
        for place, choice in enumerate(choices)
    )


def _mark(right: bool, chosen: bool) -> Mark:
    if chosen:
        return "right" if right else "wrong"
    return "missed" if right else "left"
