"""Choose what a learner should do next, given a course and the learner's progress.

The course map and the screen at the end of a lesson both use this choice. The step is always
something that is not done yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tutor.course.outline import Outline
from tutor.learner.records import Card, LessonState
from tutor.study.lesson_progress import LessonProgress, lesson_progress


class ReadLesson(msgspec.Struct, frozen=True):
    """A suggestion to read a lesson, beginning at `screen`.

    `begun` is False if the learner has never opened the lesson.
    """

    lesson: str
    screen: str
    begun: bool


class AnswerQuestions(msgspec.Struct, frozen=True):
    """A suggestion to answer the questions of a lesson.

    `open_` is the number of questions without an answer, and `wrong` the number of questions that
    have only wrong answers. `running` is True if a quiz is in progress.
    """

    lesson: str
    open_: int
    wrong: int
    running: bool = False


class Review(msgspec.Struct, frozen=True):
    """A suggestion to review the questions that are due now. `due` is their number."""

    due: int


LessonStep = ReadLesson | AnswerQuestions
NextStep = LessonStep | Review


def next_step(
    outlines: Sequence[Outline],
    states: Mapping[str, LessonState],
    cards: Mapping[str, Card],
    due: int = 0,
) -> NextStep | None:
    """Return the next step, or None if all lessons are done and no question is due.

    A lesson that the learner has begun comes first. Reviews come next, followed by new lessons and
    by lessons in which only wrong answers are left. `due` is the number of questions that are due
    now.
    """
    step = next_in_lessons(outlines, states, cards)
    if due and not _in_the_middle(step):
        return Review(due)
    return step


def next_in_lessons(
    outlines: Sequence[Outline],
    states: Mapping[str, LessonState],
    cards: Mapping[str, Card],
    after: str = "",
) -> LessonStep | None:
    """Return the next step in the lessons, or None if every lesson is done.

    The order is: the rest of the most recently opened lesson, the lessons after it, the
    lessons before it, and finally the questions that were left for later or answered wrong. At the
    end of a lesson, pass its id as `after`. The questions of this lesson then come after all other
    lessons even if the learner has skipped every one of them.
    """
    found = {
        each.id: lesson_progress(each, states.get(each.id) or LessonState(lesson=each.id), cards)
        for each in outlines
    }
    last = after or _last_opened(outlines, states, found)
    in_order = _from(outlines, last)
    if after in found:
        in_order = [*in_order[1:], in_order[0]]
    steps = [
        step for each in in_order if (step := _step(each, states.get(each.id), found[each.id]))
    ]
    first = (step for step in steps if not _for_later(step, found[step.lesson]))
    return next(first, None) or next(
        (step for step in steps if not _only_wrong(step)), next(iter(steps), None)
    )


def left_for_later(
    outlines: Sequence[Outline],
    states: Mapping[str, LessonState],
    cards: Mapping[str, Card],
    step: LessonStep,
) -> Mapping[str, int]:
    """Return the number of questions that were left for later, for each lesson that has any.

    These lessons are not done, although `step` leads to another lesson.
    """
    left = {}
    for each in outlines:
        where = lesson_progress(each, states.get(each.id) or LessonState(lesson=each.id), cards)
        other = _step(each, states.get(each.id), where)
        if other and each.id != step.lesson and _for_later(other, where):
            left[each.id] = where.left
    return left


def _last_opened(
    outlines: Sequence[Outline],
    states: Mapping[str, LessonState],
    found: Mapping[str, LessonProgress],
) -> str:
    """Return the id of the most recently opened lesson, or "" if there is none.

    If the learner has only had a look at this lesson and is in the middle of another one, return
    that one instead.

    A lesson that was never opened can have a stored state too, because a completed lab is stored in
    the state of its lesson.
    """
    opened = [states[each.id] for each in outlines if each.id in states and found[each.id].started]
    opened.sort(key=lambda state: state.visited_at, reverse=True)
    if not opened or found[opened[0].lesson].worked_on:
        return opened[0].lesson if opened else ""
    left = [each.lesson for each in opened if found[each.lesson].unfinished]
    return next((each for each in left if found[each].worked_on), opened[0].lesson)


def _from(outlines: Sequence[Outline], lesson: str) -> list[Outline]:
    """Return all outlines, beginning with `lesson`.

    After the last lesson of the course come the lessons before `lesson`.
    """
    at = next((place for place, each in enumerate(outlines) if each.id == lesson), 0)
    return [*outlines[at:], *outlines[:at]]


def _step(outline: Outline, state: LessonState | None, where: LessonProgress) -> LessonStep | None:
    """Return the next step in one lesson, or None if the lesson is done."""
    if where.done:
        return None
    if where.in_questions:
        unanswered = where.questions - where.answered
        wrong = where.answered - where.ever_right
        return AnswerQuestions(outline.id, unanswered, wrong, where.in_quiz)
    screen = _where_to_read(outline, state or LessonState(lesson=outline.id))
    return ReadLesson(outline.id, screen, where.started)


def _where_to_read(outline: Outline, state: LessonState) -> str:
    """Return the id of the screen at which to continue.

    This is the current screen if it or a later screen has not been seen; otherwise, it is the first
    screen that has not been seen.
    """
    ids = [screen.id for screen in outline.screens]
    at = ids.index(state.screen) if state.screen in ids else 0
    if any(each not in state.seen for each in ids[at:]):
        return ids[at]
    return next(each for each in ids if each not in state.seen)


def _for_later(step: LessonStep, where: LessonProgress) -> bool:
    """Return True if this step only leads to questions that are left over from a finished quiz.

    The learner has skipped them or answered them wrong, and has not begun to answer them again.
    """
    return isinstance(step, AnswerQuestions) and not where.unfinished


def _only_wrong(step: LessonStep) -> bool:
    """Return True if this step only repeats questions that were answered wrong.

    Such a step is less important, because reviews repeat these questions too.
    """
    return isinstance(step, AnswerQuestions) and not (step.open_ or step.running)


def _in_the_middle(step: LessonStep | None) -> bool:
    match step:
        case ReadLesson(begun=begun):
            return begun
        case AnswerQuestions():
            return not _only_wrong(step)
        case None:
            return False
