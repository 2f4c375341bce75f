"""Compute how much of a lesson a learner has done."""

from collections.abc import Mapping, Sequence

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.outline import Outline
from tutor.language import _
from tutor.learner.records import Card, LessonState
from tutor.study.quiz_run import resumed
from tutor.text import counted


class LessonProgress(msgspec.Struct, frozen=True):
    """A learner's progress in one lesson.

    `screens`, `questions` and `labs` are the totals of the lesson. `seen` is the number of screens
    that the learner has seen, and `goals` the number of completed labs. `answered` is the number of
    questions with an answer, `right` the number of questions whose last answer was right, and
    `ever_right` the number of questions that were answered right at least once.
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
    quiz_advanced: bool
    """True if a question was answered or skipped in the current quiz."""
    quiz_begun: bool
    """True if a question was answered or skipped, or text was entered, in the current quiz."""
    quiz_ended: bool
    """True if the learner has finished a quiz, even if they skipped every question of it."""
    predicted: bool
    """True if the learner has made a prediction."""
    screen_number: int
    """The number of the screen at which the learner continues, counted from 1."""

    @property
    def fraction(self) -> float:
        """The fraction of the lesson that is done, from 0 to 1.

        All screens and questions count equally.
        """
        return (self.seen + self.ever_right) / max(1, self.screens + self.questions)

    @property
    def done(self) -> bool:
        """True if all screens were seen and all questions were answered right at least once."""
        return self.seen == self.screens and self.ever_right == self.questions

    @property
    def in_questions(self) -> bool:
        """True if the next step in the lesson is to answer its questions.

        The questions come after the text. If the learner has only looked at the first one, the next
        step is to continue reading, even if they have entered an answer to it.
        """
        read = self.seen == self.screens and self.questions > 0
        return not self.done and (self.quiz_advanced or read)

    @property
    def left(self) -> int:
        """The number of questions that were never answered right."""
        return self.questions - self.ever_right

    @property
    def started(self) -> bool:
        return self.seen > 0 or self.answered > 0 or self.in_quiz

    @property
    def worked_on(self) -> bool:
        """True if the learner has done more in the lesson than to open it."""
        return self.seen > 1 or self.answered > 0 or self.predicted or self.quiz_begun

    @property
    def unfinished(self) -> bool:
        """True if there is more to do than questions left over from a finished quiz."""
        return not self.done and (not self.in_questions or self.quiz_begun or not self.quiz_ended)

    @property
    def wrong_words(self) -> str:
        """The number of wrong last answers in a finished lesson as text, such as "2 wrong".

        The text is empty if the lesson is not finished or if all last answers were right.
        """
        if not self.done or self.right == self.questions:
            return ""
        return _("{wrong} wrong").format(wrong=self.questions - self.right)

    @property
    def words(self) -> str:
        """The progress as text for the course map, such as "screen 3".

        The text is empty if the lesson has not been started.
        """
        if self.in_questions:
            return _("{questions} left").format(questions=counted(self.left, "question"))
        return self.short_words

    @property
    def short_words(self) -> str:
        """The progress as short text, for narrow screens."""
        if self.done:
            return _("done")
        if self.in_questions:
            return _("{count} left").format(count=self.left)
        if self.started:
            return _("screen {screen_number}").format(screen_number=self.screen_number)
        return ""


def lesson_progress(
    lesson: Lesson | Outline, state: LessonState, cards: Mapping[str, Card]
) -> LessonProgress:
    """Return a learner's progress in `lesson`, given the stored `state` and `cards`.

    Screens and questions that are no longer in the lesson do not count. Answers to an older version
    of a question do not count either.
    """
    screens = [screen.id for screen in lesson.screens]
    current = [
        card
        for question in lesson.questions
        if (card := cards.get(question.id)) and card.version == question.version
    ]
    quiz = resumed(lesson, state)
    again = state.draft is not None and state.draft.attempt > 1
    advanced = quiz is not None and bool(quiz.index or state.answer or again)
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
        quiz_advanced=advanced,
        quiz_begun=advanced or (quiz is not None and state.draft is not None),
        quiz_ended=state.quiz_ended or bool(current),
        predicted=bool(state.predictions),
        screen_number=screens.index(state.screen) + 1 if state.screen in screens else 1,
    )


def lessons_done(
    lessons: Sequence[Lesson | Outline],
    states: Mapping[str, LessonState],
    cards: Mapping[str, Card],
) -> str:
    """Return how many lessons are done as text, such as "1 of 14 lessons done"."""
    found = (
        lesson_progress(each, states.get(each.id) or LessonState(lesson=each.id), cards)
        for each in lessons
    )
    done = sum(each.done for each in found)
    return _("{done} of {lessons} done").format(done=done, lessons=counted(len(lessons), "lesson"))
