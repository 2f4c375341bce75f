"""Compute how much of a lesson a learner has done, without screen or disk."""

from collections.abc import Mapping

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.outline import Outline
from tutor.language import _
from tutor.learner.records import Card, LessonState
from tutor.study.quiz_run import resumed


class LessonProgress(msgspec.Struct, frozen=True):
    """The counts for one lesson: screens seen, questions answered right, labs done.

    `right` counts the questions whose last answer was right, and `ever_right` those that were
    ever answered right.
    """

    screens: int
    seen: int
    questions: int
    right: int
    ever_right: int
    answered: int
    labs: int
    goals: int
    in_quiz: bool
    quiz_begun: bool
    """Whether anything was entered, answered or skipped in the quiz that is in progress."""
    screen_number: int
    """The screen where the learner continues, counted from 1."""

    @property
    def fraction(self) -> float:
        """The fraction that is done, 0 to 1; every screen and every question counts the same."""
        return (self.seen + self.ever_right) / max(1, self.screens + self.questions)

    @property
    def done(self) -> bool:
        """True if every screen was seen and every question was answered right at least once."""
        return self.seen == self.screens and self.ever_right == self.questions

    @property
    def started(self) -> bool:
        return self.seen > 0 or self.answered > 0 or self.in_quiz

    @property
    def score(self) -> str:
        """The last results, such as "7/9", in a lesson that is done; empty if all were right."""
        if not self.done or self.right == self.questions:
            return ""
        return f"{self.right}/{self.questions}"

    @property
    def words(self) -> str:
        """A few words for the course map; empty if the lesson has not been started."""
        if self.done:
            return _("done")
        if self.quiz_begun or (self.seen == self.screens and self.questions):
            return _("{right}/{questions} right").format(right=self.right, questions=self.questions)
        if self.started:
            return _("screen {screen_number}").format(screen_number=self.screen_number)
        return ""


def lesson_progress(
    lesson: Lesson | Outline, state: LessonState, cards: Mapping[str, Card]
) -> LessonProgress:
    """Return the progress in `lesson` according to `state` and `cards`.

    Screens and questions that are no longer in the lesson do not count, nor do answers to an
    older version of a question.
    """
    screens = [screen.id for screen in lesson.screens]
    current = [
        card
        for question in lesson.questions
        if (card := cards.get(question.id)) and card.version == question.version
    ]
    quiz = resumed(lesson, state)
    return LessonProgress(
        screens=len(screens),
        seen=len(set(screens) & set(state.seen)),
        questions=len(lesson.questions),
        right=sum(card.last_correct for card in current),
        ever_right=sum(card.correct > 0 for card in current),
        answered=len(current),
        labs=len(lesson.labs),
        goals=len({lab.id for lab in lesson.labs} & set(state.labs_done)),
        in_quiz=quiz is not None,
        quiz_begun=quiz is not None and bool(quiz.index or state.draft or state.answer),
        screen_number=screens.index(state.screen) + 1 if state.screen in screens else 1,
    )
