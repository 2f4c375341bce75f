"""The quiz screen, which asks the questions of a lesson one after another."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from textual import on
from textual.events import Mount

from tutor.app.quiz.ask import Asked, AskScreen
from tutor.language import _
from tutor.study.quiz_run import QuizRun, answer_given, begun, entered, left_for_later, resumed
from tutor.study.results import results
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.app.services import Navigation, Services
    from tutor.course.lesson import Lesson
    from tutor.learner.records import Answered, Draft, LessonState

_ONLY_LEFT = _("These are only the questions that you left open or answered wrong.")
_AGAIN = _("You are answering all questions again. Your earlier answers are kept.")


class QuizScreen(AskScreen):
    """A quiz. It saves which question is on the screen, and continues there even after a crash."""

    def __init__(
        self, services: Services, navigation: Navigation, lesson: Lesson, *, only_left: bool = True
    ) -> None:
        """Create the screen.

        If `only_left` is true, a new quiz asks only the questions that are open or were answered
        wrong. If there are none, it asks all questions.
        """
        super().__init__(services, navigation)
        self._lesson = lesson
        self._only_left = only_left
        self._run = QuizRun((), 0)
        self._unsure: set[str] = set()
        """The ids of the questions whose answers the learner marked as guesses in this run."""

    @on(Mount)
    async def _open_run(self) -> None:
        state = self._state
        self._run = resumed(self._lesson, state) or self._begun()
        if not self._run.is_in(state):
            self.keep_draft(None)
        await self._ask()  # before the first paint, so that the screen is never empty

    def _begun(self) -> QuizRun:
        known = results(self._lesson, self.services.progress.cards()).left_out
        left_out = known if self._only_left else ()
        return begun(self._lesson, random.getrandbits(32), left_out)

    @property
    def _state(self) -> LessonState:
        return self.services.progress.lesson(self._lesson.id)

    @property
    def lesson(self) -> Lesson:
        return self._lesson

    async def _ask(self) -> None:
        question, state = self._run.question(self._lesson), self._state
        card = self.services.progress.card(question.id)
        await self.ask(
            Asked(
                self._lesson,
                question,
                self._run.seed,
                draft=entered(question, state),
                remark=self._remark,
                given=answer_given(question, state, card),
            )
        )

    @property
    def _remark(self) -> str:
        if self._run.index > 0:
            return ""
        if self._run.left_out:
            return _ONLY_LEFT
        right = results(self._lesson, self.services.progress.cards()).right
        return _AGAIN if right else ""

    def keep_draft(self, draft: Draft | None) -> None:
        self.services.progress.save_lesson(self._run.saved_in(self._state, draft))

    def head(self) -> None:
        lesson, run = self._lesson, self._run
        self.place = _("{number} {title} · question {index} of {count}").format(
            number=lesson.number,
            title=safe(lesson.title),
            index=run.index + 1,
            count=len(run.order),
        )
        self.aside = _("marked as a guess") if self._draft.guessed else ""

    def answered(self, event: Answered) -> None:
        if event.guessed:
            self._unsure.add(event.question)

    async def action_skip(self) -> None:
        said = left_for_later(self._run)
        await self.action_next()
        if self.asked is not None:
            self.tell(said)

    async def action_next(self) -> None:
        self._run = self._run.next()
        self.keep_draft(None)
        if self._run.over:
            self.asked = None
            self.navigation.show_result(self._lesson, frozenset(self._unsure))
        else:
            await self._ask()
