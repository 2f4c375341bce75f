"""Define the base class of all questions: their common fields, and the methods of a question type.

Each question type is a module in this folder. It defines its fields in a lesson file, how an answer
is graded, how an answer is converted to text and back, the order in which its parts are shown, and
what authors and teachers see about it. `tutor.course.questions.question` registers the types.

A question has an id that never changes and a version that increases when its meaning changes. A
learner's progress refers to the id and the version, never to the wording or the position.

Rules that involve several fields (such as exactly one right choice) are checked in `__post_init__`.
If it raises a `ValueError`, the author of the lesson sees a `LessonError` with file and line.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, ClassVar

import msgspec

from tutor.course.questions.answers import Answer, as_text
from tutor.course.questions.verdict import Verdict
from tutor.language import _
from tutor.text import one_line

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=60)]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=600)]
TokenText = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
"""A token as the stepper shows it: `␣Paris`, with ␣ for a space and ⏎ for a line break."""

Words = Callable[[str], str]
"""A function that returns a sentence in Markdown as one line of plain text."""

LETTER = 5
"""The number of columns before the text of a choice or an item on the screen."""


class QuestionBase(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """The base class of every question. `ask` is Markdown, and `why` is shown after any answer.

    The methods are pure: the same question and answer always give the same result. The defaults are
    for questions that are answered by typing.
    """

    asks_model: ClassVar[bool] = False
    """Whether only the live model can judge an answer, at the moment when it is submitted."""

    id: Id
    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    ask: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    hint: Sentence
    why: Sentence
    screen: Id | None = None
    """The lesson screen to look at again; by default, the screen that contains the question."""

    def grade(self, answer: Answer) -> Verdict:
        """Grade an answer.

        Raises `TypeError` if this type of question does not use this kind of answer, and
        `ValueError` if the answer is out of range.
        """
        raise NotImplementedError

    def as_text(self, answer: Answer) -> str:
        """Return an answer as text, for the log and for drafts."""
        return as_text(answer)

    def from_text(self, text: str) -> Answer | None:
        """Convert text back to an answer.

        Return None if the current version of this question does not allow this answer. If the live
        model judges, return what was typed or chosen, without the model's judgment.
        """
        return text or None

    def grade_again(self, text: str, *, correct: bool) -> Verdict:
        """Grade an earlier answer again.

        The verdict keeps the earlier result, `correct`, if only the model can judge the answer, or
        if the current version of this question does not allow it.
        """
        answer = None if self.asks_model else self.from_text(text)
        if answer is None:
            right, wrong = _("Right: you answered “{text}”."), _("Not yet: you answered “{text}”.")
            return Verdict(correct, (right if correct else wrong).format(text=text))
        return self.grade(answer)

    def display_order(self, seed: int) -> tuple[int, ...]:
        """Return the indexes of the choices, items or right sides in the order to show them.

        The order is the same for the same seed. It is empty if the question has no such parts.
        """
        return ()

    def inline_texts(self) -> Iterator[str]:
        """Yield all inline Markdown, which is every text except `ask`."""
        yield from (self.hint, self.why)

    def reasons(self) -> Iterator[str]:
        """Yield the texts that are shown after an answer."""
        yield self.why

    def searchable(self) -> Iterator[str]:
        """Yield the Markdown that can be searched, which is the text shown before an answer."""
        yield self.ask

    def answer_lines(self, width: int) -> int:
        """Return the number of lines that the choices, the items or the field take on a screen."""
        return 2

    def mistakes(self, answer: Answer, words: Words) -> Iterator[str]:
        """Yield the mistakes in a wrong answer, each short enough for a table."""
        if isinstance(answer, str):
            yield one_line(answer.casefold())


def type_name(question: QuestionBase | type[QuestionBase]) -> str:
    """Return the name of a question type in a lesson file ("single", "next-token", ...)."""
    return str(question.__struct_config__.tag)


def not_its_answer(question: QuestionBase, answer: Answer) -> TypeError:
    return TypeError(f"{answer!r} is not an answer to a question of type {type_name(question)}")


def check_distinct(texts: Sequence[str]) -> None:
    for index, text in enumerate(texts):
        if text in texts[:index]:
            raise ValueError(f"{text[:40]!r} appears twice")
