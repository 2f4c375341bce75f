"""A quiz in progress: the questions to ask, their order, and the current question.

An update of the course can change the lesson while a quiz is in progress: it can remove, add or
move questions, or increase the version of a question.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.outline import Outline
from tutor.course.questions.question import Question
from tutor.language import _
from tutor.learner.records import Card, Draft, LessonState


class QuizRun(msgspec.Struct, frozen=True):
    """A quiz in progress.

    `order` contains the ids of the questions to ask, and `index` is the index of the current
    question. `seed` determines the order of a question's answer choices. `left_out` contains the
    ids of the lesson's questions that this quiz does not ask.
    """

    order: tuple[str, ...]
    seed: int
    index: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        return self.index >= len(self.order)

    def question(self, lesson: Lesson) -> Question:
        """Return the current question. The quiz must not be over."""
        found = lesson.question(self.order[self.index])
        assert found is not None  # all ids in `order` are from the lesson
        return found

    def next(self) -> QuizRun:
        return msgspec.structs.replace(self, index=self.index + 1)

    def saved_in(self, state: LessonState, draft: Draft | None = None) -> LessonState:
        """Return a copy of `state` in which this quiz is stored as the quiz in progress.

        The current question has no answer yet, but can have a `draft` of an answer. If the quiz is
        over, the new state contains no quiz, and says that one has ended.
        """
        if self.over:
            return msgspec.structs.replace(
                state,
                question="",
                quiz_order=(),
                quiz_seed=0,
                quiz_left_out=(),
                quiz_ended=True,
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
        """Return True if `state` contains this quiz with the same current question."""
        kept = (state.quiz_order, state.quiz_seed, state.question)
        return not self.over and kept == (self.order, self.seed, self.order[self.index])


def left_for_later(run: QuizRun) -> str:
    """Say that the current question was skipped.

    A quiz of only some questions begins at the end of the lesson, and numbers only those questions.
    """
    if run.left_out:
        return _("The previous question is left for later.")
    said = _("Question {number} is left for later. You can answer it at the end of the lesson.")
    return said.format(number=run.index + 1)


def begun(lesson: Lesson, seed: int, left_out: Collection[str] = ()) -> QuizRun:
    """Return a new quiz with all questions of the lesson except those in `left_out`.

    The questions have the same order as in the lesson. A quiz without questions is over
    immediately.
    """
    ids = [question.id for question in lesson.questions]
    order = tuple(each for each in ids if each not in left_out)
    return QuizRun(order, seed, left_out=tuple(each for each in ids if each in left_out))


def resumed(lesson: Lesson | Outline, state: LessonState) -> QuizRun | None:
    """Return the quiz that is stored in `state`, or None if there is none.

    The current question stays the same if it is still in the lesson. Questions that are no longer
    in the lesson are skipped, and new questions come last.
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
    """Return the stored draft of an answer to `question`, or None.

    A draft is stored only for the current question of the quiz in `state`. A draft for another
    version of the question is ignored.
    """
    draft = state.draft if state.question == question.id else None
    return draft if draft is not None and draft.version == question.version else None


def answer_given(question: Question, state: LessonState, card: Card | None) -> str:
    """Return the learner's answer to `question` in the current quiz as text.

    The text is empty if `question` is not the current question or has no answer yet. `card` is the
    review card of the question; an answer to another version of the question is ignored.
    """
    if state.question != question.id or card is None or card.version != question.version:
        return ""
    return state.answer
