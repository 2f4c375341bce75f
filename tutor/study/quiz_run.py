"""A run through the questions of a lesson: which ones, in which order, and the current one.

The lesson may have been updated since the quiz began: questions may have been removed, added, moved
or given a higher version.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.outline import Outline
from tutor.course.questions.question import Question
from tutor.learner.records import Card, Draft, LessonState


class QuizRun(msgspec.Struct, frozen=True):
    """A quiz in progress. `order` has question ids; `seed` decides the order of the choices.

    `left_out` has the ids of the questions of the lesson that the quiz does not ask.
    """

    order: tuple[str, ...]
    seed: int
    index: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        return self.index >= len(self.order)

    def question(self, lesson: Lesson) -> Question:
        """Return the current question of a quiz that is not over."""
        found = lesson.question(self.order[self.index])
        assert found is not None  # `resumed` and `begun` take ids from the lesson
        return found

    def next(self) -> QuizRun:
        return msgspec.structs.replace(self, index=self.index + 1)

    def saved_in(self, state: LessonState, draft: Draft | None = None) -> LessonState:
        """Return `state` with this quiz in progress, its question unanswered and `draft` entered.

        If the quiz is over, the returned state has no quiz.
        """
        if self.over:
            return msgspec.structs.replace(
                state,
                question="",
                quiz_order=(),
                quiz_seed=0,
                quiz_left_out=(),
                draft=None,
                answer="",
            )
        return msgspec.structs.replace(
            state,
            question=self.order[self.index],
            quiz_order=self.order,
            quiz_seed=self.seed,
            quiz_left_out=self.left_out,
            draft=draft,
            answer="",
        )

    def is_in(self, state: LessonState) -> bool:
        """Return whether `state` has this quiz in progress at this question."""
        kept = (state.quiz_order, state.quiz_seed, state.question)
        return not self.over and kept == (self.order, self.seed, self.order[self.index])


def begun(lesson: Lesson, seed: int, left_out: Collection[str] = ()) -> QuizRun:
    """Return a new quiz with the questions in the order of the lesson, except those `left_out`.

    Without any questions, it is over at once.
    """
    ids = [question.id for question in lesson.questions]
    order = tuple(each for each in ids if each not in left_out)
    return QuizRun(order, seed, left_out=tuple(each for each in ids if each in left_out))


def resumed(lesson: Lesson | Outline, state: LessonState) -> QuizRun | None:
    """Return the quiz in progress in `state`, at the same question, or None if there is none.

    Questions that are no longer in the lesson are skipped, and new ones come last.
    """
    if not state.question or state.question not in state.quiz_order:
        return None
    left_out = state.quiz_left_out
    known = [each.id for each in lesson.questions if each.id not in left_out]
    begun_with = tuple(dict.fromkeys(state.quiz_order))
    before = begun_with[: begun_with.index(state.question)]
    order = tuple(dict.fromkeys(each for each in (*begun_with, *known) if each in known))
    run = QuizRun(order, state.quiz_seed, sum(each in known for each in before), left_out)
    return None if run.over else run


def entered(question: Question, state: LessonState) -> Draft | None:
    """Return the draft for `question`, if it is the current question of the quiz in `state`."""
    draft = state.draft if state.question == question.id else None
    return draft if draft is not None and draft.version == question.version else None


def answer_given(question: Question, state: LessonState, card: Card | None) -> str:
    """Return the answer to `question` in the quiz of `state` as text; empty if there is none.

    `card` is the card of the question: an answer to another version does not count.
    """
    if state.question != question.id or card is None or card.version != question.version:
        return ""
    return state.answer
