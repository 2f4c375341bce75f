"""The question type `compare`: choose the prompt for which the live model's value is larger.

An answer to be graded is a `Compared`. As text, an answer is the number of the chosen prompt.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import msgspec

from tutor.course.questions.answers import Answer, AnswerWithFields, as_text, one_place
from tutor.course.questions.base import (
    QuestionBase,
    Sentence,
    Words,
    check_distinct,
    not_its_answer,
)
from tutor.course.questions.verdict import Note, Verdict, mark
from tutor.language import _


class Compared(AnswerWithFields, frozen=True):
    """The chosen prompt (0 or 1), with the live model's values at the end of both prompts.

    A value is either the probability of the question's token (0 to 1) or the entropy in bits.
    """

    chosen: int
    values: tuple[float, float]


class ComparePrompts(QuestionBase, frozen=True, kw_only=True, tag="compare"):
    """A question about which of two prompts has the larger value on the live model.

    The value is the probability of `token` or, with `value: entropy`, the entropy of the
    distribution.
    """

    asks_model: ClassVar[bool] = True

    prompts: Annotated[tuple[Sentence, ...], msgspec.Meta(min_length=2, max_length=2)]
    token: Annotated[str, msgspec.Meta(max_length=60)] = ""
    value: Literal["probability", "entropy"] = "probability"

    def __post_init__(self) -> None:
        check_distinct(self.prompts)
        if (self.value == "probability") != bool(self.token):
            raise ValueError(
                "`value: probability` needs a `token`"
                if not self.token
                else "`value: entropy` does not use a `token`"
            )

    def grade(self, answer: Answer) -> Verdict:
        """Grade the answer as right if the chosen prompt has the larger value, or an equal one."""
        if not isinstance(answer, Compared):
            raise not_its_answer(self, answer)
        chosen, other = answer.values[answer.chosen], answer.values[1 - answer.chosen]
        first, second = map(self._said_of, answer.values)
        return _chosen(answer.chosen, chosen >= other, (first, second))

    def as_text(self, answer: Answer) -> str:
        return as_text(answer.chosen if isinstance(answer, Compared) else answer)

    def from_text(self, text: str) -> Answer | None:
        return one_place(text, len(self.prompts))

    def grade_again(self, text: str, *, correct: bool) -> Verdict:
        answer = one_place(text, len(self.prompts))
        if answer is None:
            return super().grade_again(text, correct=correct)
        return _chosen(answer, correct)

    def mistakes(self, answer: Answer, words: Words) -> Iterator[str]:
        if isinstance(answer, int):
            yield words(self.prompts[answer])

    def _said_of(self, value: float) -> str:
        if self.value == "entropy":
            return _("The entropy is {value:.1f} bits.").format(value=value)
        return _("{token} gets {value:.3g} %.").format(token=self.token, value=100 * value)


def _chosen(place: int, correct: bool, said: tuple[str, str] = ("", "")) -> Verdict:
    """Return the verdict on the choice of prompt `place` (0 or 1).

    `said` has a note for each of the two prompts.
    """
    notes = tuple(
        Note(mark((index == place) == correct, index == place), each)
        for index, each in enumerate(said)
    )
    return Verdict(correct, _("Right.") if correct else _("Not yet."), notes)
