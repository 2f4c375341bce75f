"""Define the base class of questions with choices."""

from collections.abc import Iterator, Set
from typing import Annotated

import msgspec

from tutor.course.questions.base import LETTER, QuestionBase, Sentence, check_distinct
from tutor.course.questions.shuffle import shuffled
from tutor.course.questions.verdict import Note, mark
from tutor.text import wrapped


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice. `why` is shown after an answer, whether the choice is right or wrong."""

    text: Sentence
    why: Sentence
    right: bool = False


class ChoiceQuestion(QuestionBase, frozen=True, kw_only=True):
    """A question that is answered by choosing from a list."""

    choices: Annotated[tuple[Choice, ...], msgspec.Meta(min_length=2, max_length=9)]

    def __post_init__(self) -> None:
        check_distinct([choice.text for choice in self.choices])

    def display_order(self, seed: int) -> tuple[int, ...]:
        return shuffled(len(self.choices), f"{seed}/{self.id}")

    def inline_texts(self) -> Iterator[str]:
        yield from super().inline_texts()
        for choice in self.choices:
            yield from (choice.text, choice.why)

    def reasons(self) -> Iterator[str]:
        yield self.why
        yield from (choice.why for choice in self.choices)

    def searchable(self) -> Iterator[str]:
        yield self.ask
        yield from (choice.text for choice in self.choices)

    def answer_lines(self, width: int) -> int:
        return 1 + sum(wrapped(choice.text, width - LETTER) for choice in self.choices)

    def notes(self, chosen: Set[int]) -> tuple[Note, ...]:
        """Return the note for each choice. Raises `ValueError` if an index is out of range."""
        if not all(0 <= place < len(self.choices) for place in chosen):
            raise ValueError(f"{sorted(chosen)} must be indexes from 0 to {len(self.choices) - 1}")
        return tuple(
            Note(mark(choice.right, place in chosen), choice.why)
            for place, choice in enumerate(self.choices)
        )
