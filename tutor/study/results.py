"""Group the questions of a lesson by their last answers, and compute when they are due."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.questions.question import Question
from tutor.learner.records import Card
from tutor.learner.schedule import due_at


class Results(msgspec.Struct, frozen=True):
    """The questions of a lesson, grouped by their last answers.

    `open_` contains the questions without an answer to their current version.
    """

    right: tuple[Question, ...]
    wrong: tuple[Question, ...]
    open_: tuple[Question, ...]

    @property
    def left(self) -> tuple[Question, ...]:
        """The questions that still have to be answered: wrong ones first, then open ones."""
        return (*self.wrong, *self.open_)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The ids of the questions that a new quiz leaves out.

        A new quiz asks only open questions and questions that were answered wrong. If there are
        none, it asks all questions.
        """
        return tuple(question.id for question in self.right) if self.left else ()


def results(lesson: Lesson, cards: Mapping[str, Card]) -> Results:
    """Return the questions of `lesson`, grouped by their last answers in `cards`."""
    right: list[Question] = []
    wrong: list[Question] = []
    open_: list[Question] = []
    for question in lesson.questions:
        card = cards.get(question.id)
        if card is None or card.version != question.version:
            open_.append(question)
        else:
            (right if card.last_correct else wrong).append(question)
    return Results(tuple(right), tuple(wrong), tuple(open_))


def comes_back(lesson: Lesson, cards: Mapping[str, Card], retention: float) -> tuple[float, ...]:
    """Return the times at which the answered questions of a lesson are due, earliest first.

    Suspended questions are not included.
    """
    known = (cards.get(question.id) for question in lesson.questions)
    return tuple(sorted(due_at(card, retention) for card in known if card and not card.suspended))
