"""The question type `several`: one or more choices are right. The answer is a set of indexes."""

from collections.abc import Iterator, Set

from tutor.course.questions.answers import Answer, places
from tutor.course.questions.base import Words, not_its_answer
from tutor.course.questions.choices import ChoiceQuestion
from tutor.course.questions.verdict import Verdict


class SeveralChoices(ChoiceQuestion, frozen=True, kw_only=True, tag="several"):
    """A question with one or more right choices; a right answer has exactly these choices."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not any(choice.right for choice in self.choices):
            raise ValueError("no choice is marked `right: true`")

    def grade(self, answer: Answer) -> Verdict:
        """Grade as right if exactly the right choices were chosen; else, count the mistakes."""
        if not isinstance(answer, Set):
            raise not_its_answer(self, answer)
        notes = self.notes(answer)
        missed = sum(note.mark == "missed" for note in notes)
        wrong = sum(note.mark == "wrong" for note in notes)
        if not missed and not wrong:
            return Verdict(True, "Right: you chose exactly the right answers.", notes)
        parts = []
        if missed:
            parts.append(f"{missed} more {'is' if missed == 1 else 'are'} right")
        if wrong:
            parts.append(f"{wrong} of your choices {'is' if wrong == 1 else 'are'} wrong")
        return Verdict(False, f"Not yet: {' and '.join(parts)}.", notes)

    def from_text(self, text: str) -> Answer | None:
        return frozenset(places(text, len(self.choices))) or None

    def mistakes(self, answer: Answer, words: Words) -> Iterator[str]:
        if isinstance(answer, Set):
            for place, choice in enumerate(self.choices):
                if choice.right and place not in answer:
                    yield f"not chosen: {words(choice.text)}"
                elif place in answer and not choice.right:
                    yield words(choice.text)
