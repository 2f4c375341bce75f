"""One way through the questions of a lesson: which come, in which order, and where we are. Pure."""

from __future__ import annotations

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.question import Question
from tutor.learner.records import LessonState


class QuizRun(msgspec.Struct, frozen=True):
    """`order` holds question ids; `seed` decides the order of the choices."""

    order: tuple[str, ...]
    seed: int
    index: int = 0

    @property
    def over(self) -> bool:
        return self.index >= len(self.order)

    def question(self, lesson: Lesson) -> Question:
        found = lesson.question(self.order[self.index])
        assert found is not None  # `resumed` and `begun` take ids from the lesson
        return found

    def next(self) -> QuizRun:
        return msgspec.structs.replace(self, index=self.index + 1)

    def saved_in(self, state: LessonState) -> LessonState:
        """`state` with this quiz as the one under way, or none when it is over."""
        if self.over:
            return msgspec.structs.replace(state, question="", quiz_order=(), quiz_seed=0)
        return msgspec.structs.replace(
            state, question=self.order[self.index], quiz_order=self.order, quiz_seed=self.seed
        )


def begun(lesson: Lesson, seed: int) -> QuizRun:
    """A new quiz: every question, in the order of the lesson, which builds up."""
    return QuizRun(tuple(question.id for question in lesson.questions), seed)


def resumed(lesson: Lesson, state: LessonState) -> QuizRun | None:
    """The quiz under way in `state`, at the same question. Questions that have left the lesson
    since are passed over; None when there is nothing to resume."""
    known = {question.id for question in lesson.questions}
    if not state.question or state.question not in state.quiz_order:
        return None
    before = state.quiz_order[: state.quiz_order.index(state.question)]
    index = sum(each in known for each in before)
    order = tuple(each for each in state.quiz_order if each in known)
    return QuizRun(order, state.quiz_seed, index) if index < len(order) else None
