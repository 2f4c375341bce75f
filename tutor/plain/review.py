"""The review in plain mode, which asks the questions that are due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.widgets.figures import when
from tutor.errors import LessonError
from tutor.language import _
from tutor.learner.records import Answered, Draft, Suspended, Undone
from tutor.learner.schedule import due_at
from tutor.plain.place import Command, Place
from tutor.plain.question import QuestionPlace
from tutor.study.memory_words import about_wait, over_limit
from tutor.study.review_run import ReviewRun
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.plain.place import Leave, Replace, Services


class ReviewPlace(QuestionPlace):
    """A review. Each answer is saved immediately, so the learner can stop at any question."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._review = ReviewRun(services.review_queue)
        self._current = ""

    @property
    def title(self) -> str:
        left = self._review.left(self._open_question if self._draft.attempt == 1 else "")
        return _("Review, {left} left.").format(left=left) if left else "Review."

    async def begin(self) -> None:
        await self.go_on()

    async def resume(self) -> None:
        if self._question is not None:
            self._say_question()
        else:
            await self.go_on()

    @property
    def _open_question(self) -> str:
        """The id of the question that is still to be answered, or ""."""
        return self._current if self._question is not None and self._verdict is None else ""

    async def go_on(self) -> Place | Leave | Replace | None:
        while item := self._review.next():
            if self._show(item.question, item.why):
                return None
            self._review.skip(item.question)
        self.nothing_asked()
        self._say_end()
        return None

    def _show(self, question: str, remark: str = "") -> bool:
        """Ask the question with the id `question`. Return False if it cannot be loaded."""
        try:
            found = self.services.course.question(question)
        except LessonError:
            found = None
        if found is None:
            return False
        self._current = question
        draft = self.services.progress.draft(question)
        if draft is not None and draft.version != found[1].version:
            draft = None
        self.say(remark)
        self.ask(*found, self._review.orders.seed(question), draft)
        return True

    def _say_end(self) -> None:
        queue, now = self.services.review_queue(), self.services.progress.clock()
        count, skipped = self._review.count, self._review.skipped
        answered = counted(count, "question")
        if skipped:
            left = _("{questions} left for later.").format(questions=counted(skipped, "question"))
            self.say(_("{questions} answered.").format(questions=answered), left)
        elif count and queue.held:
            self.say(
                _("{questions} answered: today's limit is reached.").format(questions=answered)
            )
        elif queue.held:
            self.say(_("Today's limit is reached."))
        elif count:
            self.say(_("{questions} answered. Nothing else is due.").format(questions=answered))
        elif self.services.progress.state().cards:
            self.say(_("Nothing is due."))
        else:
            self.say(_("Nothing to review yet. Questions come back once you have answered them."))
        if queue.held:
            more = bool(count or skipped)
            self.say(
                f"{over_limit(queue, self.services.limits, more=more)}.",
                _("To change the limit, run: tutor review {option} NUMBER").format(
                    option="--cap" if queue.at_cap else "--new"
                ),
            )
        elif queue.next_at is not None and not skipped:
            self.say(_("The next question is due {when}.").format(when=when(queue.next_at, now)))

    def keep_draft(self, draft: Draft | None) -> None:
        if draft is None or draft.attempt == 1:
            self.services.progress.save_draft(self._current, draft)

    def answered(self, event: Answered) -> None:
        self._review.answered(event.question)

    def afterword(self) -> str:
        card = self.services.progress.card(self._current)
        if card is None:
            return ""
        retention = self.services.retention
        at = when(due_at(card, retention), self.services.progress.clock())
        said = _("Saved. The next review of this question is {when}.").format(when=at)
        return " ".join(filter(None, (said, about_wait(card, retention))))

    async def skip(self) -> Place | Leave | Replace | None:
        due = self._review.skip(self._current)
        self.say(_("Left for later. The question stays due.") if due else _("Left for later."))
        return await self.go_on()

    def more_commands(self) -> Sequence[Command]:
        found = []
        if self._last_answered():
            found.append(Command("undo", "Undo your last answer.", self._undo))
        if self._question is not None:
            said = _("Stop asking this question in reviews.")
            found.append(Command("suspend", said, self._suspend))
        elif (queue := self.services.review_queue()).held or queue.ahead:
            said = _("Review some questions before they are due.")
            if queue.held:
                said = _("Review the questions that are due, over today's limit.")
            found.append(Command("ahead", said, self._review_ahead))
        return found

    def _last_answered(self) -> str:
        return self._review.undoable(self.services.progress.state().undo, self.services.asked)

    async def _undo(self, rest: str) -> None:
        progress, question = self.services.progress, self._last_answered()
        answer = progress.state().undo.answer
        progress.record(Undone(at=progress.clock(), answer=answer, question=question))
        self._review.undone(self._open_question)
        self.say(_("Your last answer was undone."))
        self._show(question)

    async def _suspend(self, rest: str) -> Place | Leave | Replace | None:
        progress = self.services.progress
        progress.record(Suspended(at=progress.clock(), question=self._current))
        self.say(_("No longer asked. You can bring the question back in the app."))
        return await self.go_on()

    async def _review_ahead(self, rest: str) -> Place | Leave | Replace | None:
        self._review.review_ahead()
        return await self.go_on()
