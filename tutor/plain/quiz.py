"""The quiz in plain mode, which asks the questions of a lesson."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.place import Place, Replace
from tutor.plain.question import QuestionPlace
from tutor.study.quiz_run import QuizRun, answer_given, begun, entered, left_for_later, resumed
from tutor.study.results import results

if TYPE_CHECKING:
    from tutor.course.lesson import Lesson
    from tutor.learner.records import Draft
    from tutor.plain.place import Leave, Services


class QuizPlace(QuestionPlace):
    """A quiz. If the learner leaves it and comes back, it continues at the same question."""

    def __init__(self, services: Services, lesson: Lesson, *, only_left: bool = True) -> None:
        super().__init__(services)
        self._of = lesson
        self._only_left = only_left
        self._run = QuizRun((), 0)

    @property
    def title(self) -> str:
        return _("Question {index} of {count}.").format(
            index=self._run.index + 1, count=len(self._run.order)
        )

    async def begin(self) -> None:
        state = self.services.progress.lesson(self._of.id)
        self._run = resumed(self._of, state) or self._begun()
        self.say(_("Questions for lesson {number}.").format(number=self._of.number))
        if self._run.left_out and self._run.index == 0:
            self.say(_("These are only the questions that you left open or answered wrong."))
        if not self._run.is_in(state):
            self.keep_draft(None)
        self._ask()

    async def resume(self) -> None:
        self._say_question()

    def _begun(self) -> QuizRun:
        known = results(self._of, self.services.progress.cards()).left_out
        return begun(self._of, random.getrandbits(32), known if self._only_left else ())

    def _ask(self) -> None:
        if self._run.over:
            self.say(_("There are no questions to answer."))
            return
        question = self._run.question(self._of)
        progress = self.services.progress
        state = progress.lesson(self._of.id)
        given = answer_given(question, state, progress.card(question.id))
        self.ask(self._of, question, self._run.seed, entered(question, state), given)

    def keep_draft(self, draft: Draft | None) -> None:
        progress = self.services.progress
        progress.save_lesson(self._run.saved_in(progress.lesson(self._of.id), draft))

    async def go_on(self) -> Place | Leave | Replace | None:
        self._run = self._run.next()
        self.keep_draft(None)
        if self._run.over:
            self.nothing_asked()
            return Replace(self.services.open.end(self._of))
        self._ask()
        return None

    def next_help(self) -> str:
        last = self._run.index + 1 == len(self._run.order)
        return _("Go to the end of the lesson.") if last else super().next_help()

    async def skip(self) -> Place | Leave | Replace | None:
        self.say(left_for_later(self._run))
        return await self.go_on()
