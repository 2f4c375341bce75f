"""One way through the questions of a lesson: which come, in which order, and where we are. Pure.

The lesson may have been updated since the quiz was begun: questions may have gone, come, changed
places or got a higher version.
"""

from __future__ import annotations

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.outline import Outline
from tutor.course.questions.question import Question
from tutor.learner.records import Card, Draft, LessonState


class QuizRun(msgspec.Struct, frozen=True):
    """`order` holds question ids; `seed` decides the order of the choices."""

    order: tuple[str, ...]
    seed: int
    index: int = 0

    @property
    def over(self) -> bool:
        return self.index >= len(self.order)

    def question(self, lesson: Lesson) -> Question:
        """The question to be asked, of a run that is not over."""
        found = lesson.question(self.order[self.index])
        assert found is not None  # `resumed` and `begun` take ids from the lesson
        return found

    def next(self) -> QuizRun:
        return msgspec.structs.replace(self, index=self.index + 1)

    def saved_in(self, state: LessonState, draft: Draft | None = None) -> LessonState:
        """`state` with this quiz under way, its question unanswered and `draft` entered; or with
        none, when it is over."""
        if self.over:
            return msgspec.structs.replace(
                state, question="", quiz_order=(), quiz_seed=0, draft=None, answer=""
            )
        return msgspec.structs.replace(
            state,
            question=self.order[self.index],
            quiz_order=self.order,
            quiz_seed=self.seed,
            draft=draft,
            answer="",
        )

    def is_in(self, state: LessonState) -> bool:
        """Whether `state` has this quiz under way at this question."""
        kept = (state.quiz_order, state.quiz_seed, state.question)
        return not self.over and kept == (self.order, self.seed, self.order[self.index])


def begun(lesson: Lesson, seed: int) -> QuizRun:
    """A new quiz: every question, in the order of the lesson, which builds up. Over at once in a
    lesson without questions."""
    return QuizRun(tuple(question.id for question in lesson.questions), seed)


def resumed(lesson: Lesson | Outline, state: LessonState) -> QuizRun | None:
    """The quiz under way in `state`, at the same question. Questions that have left the lesson
    since are passed over, new ones come last; None when there is nothing to resume."""
    if not state.question or state.question not in state.quiz_order:
        return None
    known = [question.id for question in lesson.questions]
    begun_with = tuple(dict.fromkeys(state.quiz_order))
    before = begun_with[: begun_with.index(state.question)]
    order = tuple(dict.fromkeys(each for each in (*begun_with, *known) if each in known))
    run = QuizRun(order, state.quiz_seed, sum(each in known for each in before))
    return None if run.over else run


def entered(question: Question, state: LessonState) -> Draft | None:
    """What was entered for `question`, if it is the one that the quiz in `state` stands at."""
    draft = state.draft if state.question == question.id else None
    return draft if draft is not None and draft.version == question.version else None


def answer_given(question: Question, state: LessonState, card: Card | None) -> str:
    """The answer given to `question` in the quiz of `state`, as text; empty when it has none.
    `card` is that of the question: an answer to another version of it does not count."""
    if state.question != question.id or card is None or card.version != question.version:
        return ""
    return state.answer
