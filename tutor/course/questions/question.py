"""The kinds of question, as they stand in a lesson file.

A question has an id that never changes and a version that is raised when its meaning changes:
the learner's progress refers to these two, never to wording or place.

What one field alone cannot say (exactly one right choice, say) is checked in `__post_init__`; a
`ValueError` raised there reaches the author of the lesson as a `LessonError` with file and line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, get_args

import msgspec

from tutor.course.questions.spelling import plain

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=60)]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=600)]
TokenText = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
"""A token as the stepper shows it: `␣Paris`, with ␣ for a space and ⏎ for a new line."""


class QuestionBase(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """What every question has. `ask` is Markdown; `why` is said after any answer."""

    id: Id
    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    ask: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    hint: Sentence
    why: Sentence
    screen: Id | None = None
    """The lesson screen to look at again; in a file it need not be given where the question
    stands on that screen."""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice; `why` is shown once it has been answered, for right and wrong ones alike."""

    text: Sentence
    why: Sentence
    right: bool = False


class SingleChoice(QuestionBase, frozen=True, kw_only=True, tag="single"):
    """Exactly one choice is right."""

    choices: Annotated[tuple[Choice, ...], msgspec.Meta(min_length=2, max_length=9)]

    def __post_init__(self) -> None:
        _check_distinct([choice.text for choice in self.choices])
        right = sum(choice.right for choice in self.choices)
        if right != 1:
            raise ValueError(f"{right} choices are marked `right: true`, where one should be")


class SeveralChoices(QuestionBase, frozen=True, kw_only=True, tag="several"):
    """One choice or more are right; all of them, and no other, are the answer."""

    choices: Annotated[tuple[Choice, ...], msgspec.Meta(min_length=2, max_length=9)]

    def __post_init__(self) -> None:
        _check_distinct([choice.text for choice in self.choices])
        if not any(choice.right for choice in self.choices):
            raise ValueError("no choice is marked `right: true`")


class NumberQuestion(QuestionBase, frozen=True, kw_only=True, tag="number"):
    """Right when within `tolerance` (absolute) of `answer`; `unit` stands behind the input."""

    answer: float
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    unit: Annotated[str, msgspec.Meta(max_length=30)] = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.answer) and math.isfinite(self.tolerance)):
            raise ValueError("`answer` and `tolerance` must be finite numbers")


class OrderQuestion(QuestionBase, frozen=True, kw_only=True, tag="order"):
    """`items` stand in the right order in the file and are shuffled on the screen."""

    items: Annotated[tuple[Sentence, ...], msgspec.Meta(min_length=3, max_length=9)]

    def __post_init__(self) -> None:
        _check_distinct(self.items)


class TextQuestion(QuestionBase, frozen=True, kw_only=True, tag="text"):
    """Short text; `accept` lists the spellings accepted, compared without case, accents,
    punctuation and spaces (`tutor.course.questions.spelling`). The first is the one shown."""

    accept: Annotated[tuple[Sentence, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        for spelling in self.accept:
            if not plain(spelling):
                raise ValueError(f"the accepted answer {spelling[:40]!r} has no letter or digit")


class NextTokenQuestion(QuestionBase, frozen=True, kw_only=True, tag="next-token"):
    """The learner guesses how the live model goes on from `prompt`; right when the guess is among
    the model's `within` most probable tokens at that moment."""

    prompt: Sentence
    within: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two things that belong together; `why` is shown once it has been answered."""

    left: Sentence
    right: Sentence
    why: Sentence


class MatchQuestion(QuestionBase, frozen=True, kw_only=True, tag="match"):
    """For each `left`, the `right` that belongs to it; the right sides are shuffled on the
    screen."""

    pairs: Annotated[tuple[Pair, ...], msgspec.Meta(min_length=3, max_length=6)]

    def __post_init__(self) -> None:
        _check_distinct([pair.left for pair in self.pairs])
        _check_distinct([pair.right for pair in self.pairs])


class ComparePrompts(QuestionBase, frozen=True, kw_only=True, tag="compare"):
    """The learner says after which of two prompts the live model gives more probability to
    `token`, or (with `value: entropy`) at the end of which it is less decided."""

    prompts: Annotated[tuple[Sentence, ...], msgspec.Meta(min_length=2, max_length=2)]
    token: Annotated[str, msgspec.Meta(max_length=60)] = ""
    value: Literal["probability", "entropy"] = "probability"

    def __post_init__(self) -> None:
        _check_distinct(self.prompts)
        if (self.value == "probability") != bool(self.token):
            raise ValueError(
                "`value: probability` needs a `token`"
                if not self.token
                else "`value: entropy` is not about a `token`"
            )


Question = (
    SingleChoice
    | SeveralChoices
    | NumberQuestion
    | OrderQuestion
    | TextQuestion
    | NextTokenQuestion
    | MatchQuestion
    | ComparePrompts
)

QUESTION_TYPES: tuple[type[Question], ...] = get_args(Question)


def sentences(question: Question) -> Iterator[str]:
    """What is Markdown within a line: everything said about a question but `ask`."""
    yield from (question.hint, question.why)
    match question:
        case SingleChoice() | SeveralChoices():
            for choice in question.choices:
                yield from (choice.text, choice.why)
        case MatchQuestion():
            for pair in question.pairs:
                yield from (pair.left, pair.right, pair.why)
        case OrderQuestion():
            yield from question.items


def type_name(question: Question | type[Question]) -> str:
    """The name of a question's type in a lesson file: "single", "next-token", ..."""
    return str(question.__struct_config__.tag)


def _check_distinct(texts: Sequence[str]) -> None:
    for index, text in enumerate(texts):
        if text in texts[:index]:
            raise ValueError(f"{text[:40]!r} stands there twice")
