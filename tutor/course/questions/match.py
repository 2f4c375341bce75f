"""The question type `match`: choose a right-hand item for each left-hand item.

An answer contains, for each left-hand item, the index of the right-hand item that the learner
chose. The learner can choose the same right-hand item more than once.
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


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A left-hand item and its matching right-hand item. `why` is shown after an answer."""

    left: Sentence
    right: Sentence
    why: Sentence


class MatchQuestion(QuestionBase, frozen=True, kw_only=True, tag="match"):
    """A question that asks which right-hand item belongs to each left-hand item.

    The right-hand items are shuffled.
    """

    pairs: Annotated[tuple[Pair, ...], msgspec.Meta(min_length=3, max_length=6)]

    def __post_init__(self) -> None:
        check_distinct([pair.left for pair in self.pairs])
        check_distinct([pair.right for pair in self.pairs])

    def grade(self, answer: Answer) -> Verdict:
        if not is_sequence(answer):
            raise not_its_answer(self, answer)
        count = len(self.pairs)
        if len(answer) != count or not all(0 <= place < count for place in answer):
            raise ValueError(f"{answer!r} does not match {count} pairs")
        at_home = [chosen == place for place, chosen in enumerate(answer)]
        notes = tuple(
            Note("right", pair.why)
            if home
            else Note(
                "wrong", _("Goes with “{right}”. {why}").format(right=pair.right, why=pair.why)
            )
            for pair, home in zip(self.pairs, at_home, strict=True)
        )
        if all(at_home):
            return Verdict(True, _("Right: all pairs match."), notes)
        return Verdict(
            False,
            _("Not yet: {at_home} of {count} pairs match.").format(
                at_home=sum(at_home), count=count
            ),
            notes,
        )

    def from_text(self, text: str) -> Answer | None:
        return all_places(text, len(self.pairs), repeats=True)

    def display_order(self, seed: int) -> tuple[int, ...]:
        """Return the indexes of the right-hand items, shuffled so that at least one has moved."""
        return out_of_order(len(self.pairs), f"{seed}/{self.id}")

    def inline_texts(self) -> Iterator[str]:
        yield from super().inline_texts()
        for pair in self.pairs:
            yield from (pair.left, pair.right, pair.why)

    def reasons(self) -> Iterator[str]:
        yield self.why
        yield from (pair.why for pair in self.pairs)

    def answer_lines(self, width: int) -> int:
        left = 1 + sum(wrapped(pair.left, width // 2) for pair in self.pairs)
        return left + 1 + sum(wrapped(pair.right, width - LETTER) for pair in self.pairs)

    def mistakes(self, answer: Answer, words: Words) -> Iterator[str]:
        if is_sequence(answer):
            for place, chosen in enumerate(answer):
                if place != chosen:
                    left, right = self.pairs[place].left, self.pairs[chosen].right
                    yield f"{words(left)} → {words(right)}"
