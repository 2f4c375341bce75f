"""The question type `text`: type a word or two. An answer is the text that the learner typed."""

from typing import Annotated

import msgspec

from tutor.course.questions.answers import Answer
from tutor.course.questions.base import QuestionBase, Sentence, not_its_answer
from tutor.course.questions.spelling import plain
from tutor.course.questions.verdict import Verdict, nothing_typed
from tutor.language import _


class TextQuestion(QuestionBase, frozen=True, kw_only=True, tag="text"):
    """A question that the learner answers with a word or two.

    `accept` lists the accepted spellings, and the first one is shown as the right answer. The
    comparison ignores case, accents, punctuation and spaces (see
    `tutor.course.questions.spelling`).
    """

    accept: Annotated[tuple[Sentence, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        for spelling in self.accept:
            if not plain(spelling):
                raise ValueError(f"the accepted answer {spelling[:40]!r} has no letter or digit")

    def grade(self, answer: Answer) -> Verdict:
        if not isinstance(answer, str):
            raise not_its_answer(self, answer)
        given = plain(answer)
        if not given:
            return nothing_typed(_("Type a word or two."))
        if given in {plain(spelling) for spelling in self.accept}:
            return Verdict(True, _("Right."))
        return Verdict(False, _("“{answer}” is not right.").format(answer=answer.strip()))
