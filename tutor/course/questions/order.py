"""The question type `order`: put items in order.

An answer contains the indexes of the items, from first to last.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from tutor.course.questions.answers import Answer, all_places, is_sequence
from tutor.course.questions.base import (
    LETTER,
    QuestionBase,
    Sentence,
    Words,
    check_distinct,
    not_its_answer,
)
from tutor.course.questions.shuffle import out_of_order
from tutor.course.questions.verdict import Note, Verdict
from tutor.language import _
from tutor.text import wrapped


class OrderQuestion(QuestionBase, frozen=True, kw_only=True, tag="order"):
    """A question about the order of `items`, which the lesson file lists in the right order."""

    items: Annotated[tuple[Sentence, ...], msgspec.Meta(min_length=3, max_length=9)]

    def __post_init__(self) -> None:
        check_distinct(self.items)

    def grade(self, answer: Answer) -> Verdict:
        if not is_sequence(answer):
            raise not_its_answer(self, answer)
        if sorted(answer) != list(range(len(self.items))):
            raise ValueError(f"{answer!r} is not an order of {len(self.items)} items")
        at_home = [answer[place] == place for place in range(len(answer))]
        notes = tuple(
            Note("right", "")
            if home
            else Note("wrong", _("Belongs in position {place}.").format(place=place + 1))
            for place, home in enumerate(at_home)
        )
        if all(at_home):
            return Verdict(True, _("Right: all items are in order."), notes)
        return Verdict(
            False,
            _("Not yet: {at_home} of {count} are in the right position.").format(
                at_home=sum(at_home), count=len(answer)
            ),
            notes,
        )

    def from_text(self, text: str) -> Answer | None:
        return all_places(text, len(self.items))

    def display_order(self, seed: int) -> tuple[int, ...]:
        """Return the indexes of the items in a shuffled order, which is never the right order."""
        return out_of_order(len(self.items), f"{seed}/{self.id}")

    def inline_texts(self) -> Iterator[str]:
        yield from super().inline_texts()
        yield from self.items

    def answer_lines(self, width: int) -> int:
        return 1 + sum(wrapped(item, width - LETTER) for item in self.items)

    def mistakes(self, answer: Answer, words: Words) -> Iterator[str]:
        if is_sequence(answer):
            for place, item in enumerate(answer):
                if place != item:
                    yield _("in position {place}: {words}").format(
                        place=place + 1, words=words(self.items[item])
                    )
