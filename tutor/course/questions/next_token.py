"""The question type `next-token`: guess the live model's next token.

The learner types a guess. The answer that is graded is the guess's rank (from 1) in the model's
distribution.
"""

from typing import Annotated, ClassVar

import msgspec

from tutor.course.questions.answers import Answer
from tutor.course.questions.base import QuestionBase, Sentence, not_its_answer
from tutor.course.questions.verdict import Verdict
from tutor.language import _


class NextTokenQuestion(QuestionBase, frozen=True, kw_only=True, tag="next-token"):
    """A question that asks for the model's next token after `prompt`.

    The answer is right if the guess is among the model's `within` most probable tokens when the
    learner submits it.
    """

    asks_model: ClassVar[bool] = True

    prompt: Sentence
    within: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3

    def grade(self, answer: Answer) -> Verdict:
        if not isinstance(answer, int):
            raise not_its_answer(self, answer)
        if answer < 1:
            raise ValueError(f"{answer} is not a rank; ranks begin at 1")
        if answer == 1:
            return Verdict(True, _("Right: this is the model's most probable token."))
        correct = answer <= self.within
        said = _("Right") if correct else _("Not yet")
        count = (
            _("only rank 1 counts")
            if self.within == 1
            else _("ranks 1 to {within} count").format(within=self.within)
        )
        return Verdict(
            correct,
            _("{said}: your guess has rank {answer:,}; {count}.").format(
                said=said, answer=answer, count=count
            ),
        )
