"""Group the questions of a lesson by their last answers, and compute when they are due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.questions.question import Question
from tutor.language import _, ngettext
from tutor.learner import review
from tutor.learner.clock import midnights
from tutor.learner.records import Card
from tutor.learner.review import Limits, ReviewQuestion
from tutor.learner.schedule import due_at
from tutor.learner.state import LearnerState
from tutor.study.memory_words import reason_to_wait


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


def coming_back(
    lesson: Lesson,
    state: LearnerState,
    asked: Mapping[str, ReviewQuestion],
    now: float,
    limits: Limits,
    when: Callable[[float, float], str],
) -> str:
    """Return when the questions of a lesson come back, and which of them exceed a daily limit.

    `asked` has all questions of the course, because they share the limits. `when` puts a time into
    words, such as "tomorrow".
    """
    times = comes_back(lesson, state.cards, limits.retention)
    if not times:
        return _("Questions come back once you have answered them.")
    counts = Counter(when(at, now) for at in times)
    (first, count), *others = counts.items()
    said = ngettext(
        "{count} question comes back {first}", "{count} questions come back {first}", count
    ).format(count=count, first=first)
    said += "".join(f", {count} {at}" for at, count in others)
    today = midnights(now, 1)[0]
    later = sorted({day for at in times if (day := midnights(at, 1)[0]) > today})
    here = {question.id for question in lesson.questions}
    for day in (0.0, *later):
        queue = (
            review.due_on(state, asked, day, limits)
            if day
            else review.queue(state, asked, now, limits)
        )
        if any(item.question in here for item in queue.held):
            return f"{said}. {reason_to_wait(queue, limits)}"
    return f"{said}."
