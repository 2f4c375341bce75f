"""Extract the data for a class report from the progress of one learner.

A `Row` contains everything that the report shows about one person. The mastery of ideas, and the
first answers, are used only for figures about the whole class (`tutor.classroom.report`).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from tutor.course.catalogue import Course
from tutor.course.outline import Outline
from tutor.learner import review
from tutor.learner.clock import LATEST, day_number, local_day_number, sensible
from tutor.learner.records import Answered, Card, LessonState, LogEvent
from tutor.learner.review import ReviewQuestion
from tutor.learner.state import LearnerState, in_order
from tutor.study.lesson_progress import lesson_progress
from tutor.study.review_questions import review_questions

Idea = tuple[str, str]
"""The ids of a lesson and a screen. A screen covers one idea."""

_FIRST_DAY = date(1970, 1, 1).toordinal()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a report shows about one learner.

    - `number` and `title`: the lesson of the course that the learner last visited, or None and ""
      if there is none
    - `place`: the learner's position in this lesson: "3 of 9" screens, "questions" or "done"
    - `answered`: the number of questions of the course that the learner has answered, counting only
      answers to their current version
    - `right`: the number of these questions whose last answer was right
    - `recall` and `strength`: as in `tutor.learner.review.Memory`, over all answered questions
    - `mastery`: the mean (0 to 1) over the ideas that the learner has begun

    `recall`, `strength` and `mastery` are None if the learner has answered no questions.
    """

    name: str
    number: int | None
    title: str
    place: str
    last_day: date | None
    answered: int
    right: int
    mastery: float | None
    recall: float | None = None
    strength: float | None = None


class IdeaBegun(msgspec.Struct, frozen=True):
    """One learner's results on one idea.

    `answered` is the number of questions that the learner has answered, and `right` is the number
    of questions whose last answer was right. The other figures are the same as in
    `tutor.learner.review.Memory`.
    """

    answered: int
    right: int
    mastery: float
    recall: float | None = None
    strength: float | None = None


class Studied(msgspec.Struct, frozen=True):
    """The data about one learner. `first_answers` maps question ids to first answers."""

    row: Row
    ideas: Mapping[Idea, IdeaBegun]
    first_answers: Mapping[str, Answered]


def studied(
    name: str, course: Course, state: LearnerState, events: Iterable[LogEvent], now: float
) -> Studied:
    """Return a learner's data at the time `now`.

    It is computed from `state` and from the log's `events`.
    """
    questions = review_questions(course)
    cards = [
        card
        for key, card in state.cards.items()
        if key in questions and card.version == questions[key].version
    ]
    ideas = _ideas(questions, state, cards, now)
    outline = _last_lesson(course, state)
    memory = review.memory(state, questions, now)
    row = Row(
        name=name,
        number=outline.number if outline else None,
        title=outline.title if outline else "",
        place=_place(outline, state) if outline else "",
        last_day=last_day(state),
        answered=len(cards),
        right=sum(card.last_correct for card in cards),
        mastery=sum(each.mastery for each in ideas.values()) / len(ideas) if ideas else None,
        recall=memory.recall,
        strength=memory.strength,
    )
    return Studied(row, ideas, first_answers(events, questions, state.forgotten))


def _ideas(
    questions: Mapping[str, ReviewQuestion], state: LearnerState, cards: Iterable[Card], now: float
) -> dict[Idea, IdeaBegun]:
    """Return the ideas with at least one answer. `cards` are for current versions of questions."""
    right: Counter[Idea] = Counter()
    for card in cards:
        about = questions[card.question]
        right[about.lesson, about.screen] += card.last_correct
    return {
        idea: IdeaBegun(of.answered, right[idea], of.mastery, of.recall, of.strength)
        for idea, of in review.memory_of_screens(state, questions, now).items()
        if of.answered
    }


def first_answers(
    events: Iterable[LogEvent],
    questions: Mapping[str, ReviewQuestion],
    forgotten: Mapping[str, float],
) -> dict[str, Answered]:
    """Return the first answer to the current version of each question in the course, by id.

    Later answers don't count, because the learner had already seen the explanation. Answers that
    the learner has undone or reset don't count either.
    """
    found: dict[str, Answered] = {}
    for event in in_order(events):
        if isinstance(event, Answered) and event.question in questions:
            current = event.version == questions[event.question].version
            if current and event.at > forgotten.get(event.question, -math.inf):
                found.setdefault(event.question, event)
    return found


def last_day(state: LearnerState) -> date | None:
    """Return the last day on which the learner answered a question or opened a lesson, or None."""
    days = [local_day_number(sensible(each.visited_at)) for each in _visited(state)]
    if state.days.active.strip("0"):
        days.append(min(max(state.days.last, 0), day_number(LATEST)))
    return date.fromordinal(_FIRST_DAY + max(days)) if days else None


def _visited(state: LearnerState) -> list[LessonState]:
    return [lesson for lesson in state.lessons.values() if lesson.visited_at > 0]


def _last_lesson(course: Course, state: LearnerState) -> Outline | None:
    """Return the lesson of the course that the learner opened most recently.

    Opening a lab counts too, even if the learner has never opened the lesson with this lab.
    """
    opened = [each for each in _visited(state) if each.screen or each.question]
    for lesson in sorted(opened, key=lambda each: each.visited_at, reverse=True):
        if (outline := course.outline(lesson.lesson)) is not None:
            return outline
    return None


def _place(outline: Outline, state: LearnerState) -> str:
    where = lesson_progress(outline, state.lesson(outline.id), state.cards)
    if where.done:
        return "done"
    if where.in_quiz:
        return "questions"
    return f"{where.screen_number} of {where.screens}"
