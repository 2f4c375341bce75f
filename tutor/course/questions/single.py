"""The question type `single`: exactly one choice is right. An answer is the index of a choice."""

from collections.abc import Iterator

from tutor.course.questions.answers import Answer, one_place
from tutor.course.questions.base import Words, not_its_answer
from tutor.course.questions.choices import ChoiceQuestion
from tutor.course.questions.verdict import Verdict
from tutor.language import _


class SingleChoice(ChoiceQuestion, frozen=True, kw_only=True, tag="single"):
    """A question with exactly one right choice."""

    def __post_init__(self) -> None:
        super().__post_init__()
        right = sum(choice.right for choice in self.choices)
        if right != 1:
            raise ValueError(f"{right} choices are marked `right: true`; exactly one must be")

    def grade(self, answer: Answer) -> Verdict:
        if not isinstance(answer, int):
            raise not_its_answer(self, answer)
        notes = self.notes({answer})
        correct = self.choices[answer].right
        return Verdict(correct, _("Right.") if correct else _("Not yet."), notes)

    def from_text(self, text: str) -> Answer | None:
        return one_place(text, len(self.choices))

    def mistakes(self, answer: Answer, words: Words) -> Iterator[str]:
        if isinstance(answer, int):
            yield words(self.choices[answer].text)
