"""The base of all questions: their common fields, and the methods of a question type.

A question type is one module of this folder. It defines its fields as they are written in a lesson
file, how an answer is graded, how an answer becomes text and is read back, the order in which its
parts are shown, and what authors and teachers see about it. `tutor.course.questions.question`
registers the types.

A question has an id that never changes and a version that is raised when its meaning changes: the
learner's progress refers to these two, never to the wording or the position.

Rules about several fields (such as exactly one right choice) are checked in `__post_init__`; a
`ValueError` raised there reaches the author of the lesson as a `LessonError` with file and line.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, ClassVar

import msgspec

from tutor.course.questions.answers import Answer, as_text
from tutor.course.questions.verdict import Verdict
from tutor.text import one_line

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=60)]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=600)]
TokenText = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
"""A token as the stepper shows it: `␣Paris`, with ␣ for a space and ⏎ for a new line."""

Words = Callable[[str], str]
"""Returns a sentence in Markdown as one line of plain text."""

LETTER = 5
"""Columns before the text of a choice or an item on the screen."""


class QuestionBase(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """The base class of every question. `ask` is Markdown; `why` is shown after any answer.

    The methods below are pure: the same question and answer give the same result. The defaults suit
    a question that is answered by typing.
    """

    asks_model: ClassVar[bool] = False
    """Whether only the live model can judge an answer, at the moment it is given."""

    id: Id
    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    ask: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    hint: Sentence
    why: Sentence
    screen: Id | None = None
    """The lesson screen to look at again; by default the screen that contains the question."""

    def grade(self, answer: Answer) -> Verdict:
        """Grade an answer.

        Raises `TypeError` if it is not of this question's kind, and `ValueError` if it is
        out of range.
        """
        raise NotImplementedError

    def as_text(self, answer: Answer) -> str:
        """Write an answer as text, for the log and for drafts."""
        return as_text(answer)

    def from_text(self, text: str) -> Answer | None:
        """Read an answer back.

        Return None if this question, in its current form, cannot have it. If the live model
        judges, return what was typed or chosen, without the model's judgment.
        """
        return text or None

    def grade_again(self, text: str, *, correct: bool) -> Verdict:
        """Grade an earlier answer again.

        An answer that only the model can judge, or that this question in its current form
        cannot have, stays as `correct` as it was then.
        """
        answer = None if self.asks_model else self.from_text(text)
        if answer is None:
            said = "Right" if correct else "Not yet"
            return Verdict(correct, f"{said}: you answered “{text}”.")
        return self.grade(answer)

    def display_order(self, seed: int) -> tuple[int, ...]:
        """Return the indexes of the choices, items or right sides in the order to show them.

        The order is the same for the same seed, and empty if there are none.
        """
        return ()

    def inline_texts(self) -> Iterator[str]:
        """Yield all inline Markdown: every text except `ask`."""
        yield from (self.hint, self.why)

    def reasons(self) -> Iterator[str]:
        """Yield the texts that are shown after an answer."""
        yield self.why

    def searchable(self) -> Iterator[str]:
        """Yield the Markdown that can be searched: the text shown before a question is answered."""
        yield self.ask

    def answer_lines(self, width: int) -> int:
        """Return the number of lines that the choices, items or the field take on a screen."""
        return 2

    def mistakes(self, answer: Answer, words: Words) -> Iterator[str]:
        """Yield the mistakes in a wrong answer, in words short enough for a table."""
        if isinstance(answer, str):
            yield one_line(answer.casefold())


def type_name(question: QuestionBase | type[QuestionBase]) -> str:
    """Return the name of a question's type in a lesson file: "single", "next-token", ..."""
    return str(question.__struct_config__.tag)


def not_its_answer(question: QuestionBase, answer: Answer) -> TypeError:
    return TypeError(f"{answer!r} is not an answer to a question of type {type_name(question)}")


def check_distinct(texts: Sequence[str]) -> None:
    for index, text in enumerate(texts):
        if text in texts[:index]:
            raise ValueError(f"{text[:40]!r} appears twice")
