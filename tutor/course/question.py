"""The kinds of question, as they stand in a lesson file.

A question has an id that never changes and a version that is raised when its meaning changes:
the learner's progress refers to these two, never to wording or place.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=600)]


class QuestionBase(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """What every question has. `ask` is Markdown; `why` is said after any answer."""

    id: Id
    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    ask: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    hint: Sentence
    why: Sentence
    screen: Id | None = None
    """The lesson screen to look at again."""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice; `why` is shown once it has been answered, for right and wrong ones alike."""

    text: Sentence
    why: Sentence
    right: bool = False


class SingleChoice(QuestionBase, frozen=True, kw_only=True, tag="single"):
    choices: Annotated[tuple[Choice, ...], msgspec.Meta(min_length=2, max_length=9)]


class SeveralChoices(QuestionBase, frozen=True, kw_only=True, tag="several"):
    choices: Annotated[tuple[Choice, ...], msgspec.Meta(min_length=2, max_length=9)]


class NumberQuestion(QuestionBase, frozen=True, kw_only=True, tag="number"):
    """Right when within `tolerance` (absolute) of `answer`."""

    answer: float
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    unit: str = ""


class OrderQuestion(QuestionBase, frozen=True, kw_only=True, tag="order"):
    """`items` stand in the right order in the file and are shuffled on the screen."""

    items: Annotated[tuple[Sentence, ...], msgspec.Meta(min_length=3, max_length=9)]


class TextQuestion(QuestionBase, frozen=True, kw_only=True, tag="text"):
    """Short text; `accept` lists the spellings accepted, compared without case, accents,
    punctuation and repeated spaces."""

    accept: Annotated[tuple[Sentence, ...], msgspec.Meta(min_length=1)]


class NextTokenQuestion(QuestionBase, frozen=True, kw_only=True, tag="next-token"):
    """The learner guesses how the live model goes on from `prompt`; right when the guess is among
    the model's `within` most probable tokens at that moment."""

    prompt: Sentence
    within: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3


Question = (
    SingleChoice | SeveralChoices | NumberQuestion | OrderQuestion | TextQuestion | NextTokenQuestion
)
