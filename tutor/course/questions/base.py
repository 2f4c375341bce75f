"""Define the base class of all questions, with their common fields and methods.

Each module in this folder defines one question type:

- its fields in a lesson file
- how to grade an answer
- how to convert an answer to text and back
- the order in which the screen shows its parts
- what authors and teachers see about it

The types are registered in `tutor.course.questions.question`.

A question has an id that never changes and a version that increases when its meaning changes. A
learner's progress refers to the id and the version, but not to the wording or the position.

Rules that involve several fields, such as exactly one right choice, are checked in `__post_init__`.
If it raises a `ValueError`, the author of the lesson sees a `LessonError` with the file and line.
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
"""A token as the stepper shows it (`␣Paris`), with ␣ for a space and ⏎ for a line break."""

Words = Callable[[str], str]
"""A function that converts a sentence in Markdown to one line of plain text."""

LETTER = 5
"""The number of screen columns before the text of a choice or an item."""


class QuestionBase(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """The base class of every question.

    `ask` is Markdown, and `why` is shown after any answer. The methods are pure, so the same
    question and answer always give the same result. Their default implementations are for questions
    that are answered by typing.
    """

    asks_model: ClassVar[bool] = False
    """True if only the live model can grade an answer. It does so when the answer is submitted."""

    id: Id
    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    ask: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    hint: Sentence
    why: Sentence
    screen: Id | None = None
    """The screen that explains the answer; by default, the screen that contains the question."""

    def grade(self, answer: Answer) -> Verdict:
        """Grade an answer.

        Raises `TypeError` if the answer is of the wrong kind for this question type, and
        `ValueError` if it is out of range.
        """
        raise NotImplementedError

    def as_text(self, answer: Answer) -> str:
        """Return an answer as text, for the learner's log and for drafts."""
        return as_text(answer)

    def from_text(self, text: str) -> Answer | None:
        """Convert text back to an answer.

        Returns None if the current version of this question does not allow this answer. If only the
        live model can grade the answer, returns what the learner typed or chose, without the
        model's values.
        """
        return text or None

    def grade_again(self, text: str, *, correct: bool) -> Verdict:
        """Grade an answer from the log again.

        The verdict keeps the earlier result, `correct`, if only the live model can grade the
        answer, or if the current version of this question does not allow this answer.
        """
        answer = None if self.asks_model else self.from_text(text)
        if answer is None:
            right, wrong = _("Right: you answered “{text}”."), _("Not yet: you answered “{text}”.")
            return Verdict(correct, (right if correct else wrong).format(text=text))
        return self.grade(answer)

    def display_order(self, seed: int) -> tuple[int, ...]:
        """Return the order in which the screen shows the choices, items or right-hand items.

        The order is a sequence of indexes and depends only on the seed. It is empty for a type of
        question that shuffles nothing.
        """
        return ()

    def inline_texts(self) -> Iterator[str]:
        """Yield every text of the question except `ask`. These texts contain inline Markdown."""
        yield from (self.hint, self.why)

    def reasons(self) -> Iterator[str]:
        """Yield the texts that the screen shows after an answer."""
        yield self.why

    def searchable(self) -> Iterator[str]:
        """Yield the Markdown that the search should find: all texts shown before an answer."""
        yield self.ask

    def answer_lines(self, width: int) -> int:
        """Return the number of screen lines for the choices, the items or the input field."""
        return 2

    def mistakes(self, answer: Answer, words: Words) -> Iterator[str]:
        """Yield the mistakes in a wrong answer, each short enough for a table."""
        if isinstance(answer, str):
            yield one_line(answer.casefold())


def type_name(question: QuestionBase | type[QuestionBase]) -> str:
    """Return the name of a question type in a lesson file, such as "single" or "next-token"."""
    return str(question.__struct_config__.tag)


def not_its_answer(question: QuestionBase, answer: Answer) -> TypeError:
    return TypeError(f"{answer!r} is not an answer to a question of type {type_name(question)}")


def check_distinct(texts: Sequence[str]) -> None:
    for index, text in enumerate(texts):
        if text in texts[:index]:
            raise ValueError(f"{text[:40]!r} appears twice")
