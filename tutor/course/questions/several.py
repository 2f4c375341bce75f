"""The question type `several`: one or more choices are right. An answer is a set of indexes."""

from collections.abc import Iterator, Set

from tutor.course.questions.answers import Answer, places
from tutor.course.questions.base import Words, not_its_answer
from tutor.course.questions.choices import ChoiceQuestion
from tutor.course.questions.verdict import Verdict
from tutor.language import _, ngettext


class SeveralChoices(ChoiceQuestion, frozen=True, kw_only=True, tag="several"):
    """A question with one or more right choices. An answer must contain exactly these choices."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not any(choice.right for choice in self.choices):
            raise ValueError("no choice is marked `right: true`")

    def grade(self, answer: Answer) -> Verdict:
        """Grade the answer as right if it has exactly the right choices.

        Otherwise, the verdict counts the mistakes.
        """
        if not isinstance(answer, Set):
            raise not_its_answer(self, answer)
        notes = self.notes(answer)
        missed = sum(note.mark == "missed" for note in notes)
        wrong = sum(note.mark == "wrong" for note in notes)
        if not missed and not wrong:
            return Verdict(True, _("Right: you chose exactly the right answers."), notes)
        parts = []
        if missed:
            said = ngettext(
                "{count} right answer is missing", "{count} right answers are missing", missed
            )
            parts.append(said.format(count=missed))
        if wrong:
            said = ngettext(
                "{count} of your choices is wrong", "{count} of your choices are wrong", wrong
            )
            parts.append(said.format(count=wrong))
        return Verdict(False, _("Not yet: {items}.").format(items=_(" and ").join(parts)), notes)

    def from_text(self, text: str) -> Answer | None:
        return frozenset(places(text, len(self.choices))) or None

    def mistakes(self, answer: Answer, words: Words) -> Iterator[str]:
        if isinstance(answer, Set):
            for place, choice in enumerate(self.choices):
                if choice.right and place not in answer:
                    yield _("not chosen: {words}").format(words=words(choice.text))
                elif place in answer and not choice.right:
                    yield words(choice.text)
