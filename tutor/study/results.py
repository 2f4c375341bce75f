"""Group the questions of a lesson by their last answers, and compute when they are due."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.questions.question import Question
from tutor.language import ngettext
from tutor.learner import review
from tutor.learner.clock import midnights
from tutor.learner.records import Card
from tutor.learner.review import Limits, ReviewQuestion
from tutor.learner.schedule import due_at
from tutor.learner.state import LearnerState
from tutor.study.memory_words import daily_limit


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


def over_limit(
    lesson: Lesson,
    state: LearnerState,
    asked: Mapping[str, ReviewQuestion],
    now: float,
    limits: Limits,
) -> str:
    """Return how many questions of a lesson are over the daily limits when they are due, or "".

    The text has no period at the end.
    `asked` has all questions of the course, because they share the limits.
    """
    today = midnights(now, 1)[0]
    times = comes_back(lesson, state.cards, limits.retention)
    days = sorted({day for at in times if (day := midnights(at, 1)[0]) > today})
    later = (review.due_on(state, asked, day, limits) for day in days)
    here = {question.id for question in lesson.questions}
    queues = [
        queue
        for queue in (review.queue(state, asked, now, limits), *later)
        for item in queue.held
        if item.question in here
    ]
    if not queues:
        return ""
    said = ngettext("{count} is over {limit}", "{count} are over {limit}", len(queues))
    return said.format(count=len(queues), limit=daily_limit(queues[0], limits))
