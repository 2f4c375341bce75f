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
from tutor.study.choice_orders import ChoiceOrders
from tutor.study.memory_words import about_wait, over_limit
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.learner.review import Due
    from tutor.plain.place import Leave, Replace, Services

AHEAD = 10
"""The number of questions in one batch when the learner reviews ahead."""


class ReviewPlace(QuestionPlace):
    """A review. Each answer is saved immediately, so the learner can stop at any question."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._passed: set[str] = set()
        self._ahead: list[Due] = []
        self._orders = ChoiceOrders()
        self._count = 0
        self._current = ""
        self._last = ""
        """The id of the question that was last answered in this review."""

    @property
    def title(self) -> str:
        left = len(self._left()) + self._is_extra
        return _("Review, {left} left.").format(left=left) if left else "Review."

    async def begin(self) -> None:
        await self.go_on()

    async def resume(self) -> None:
        if self._question is not None:
            self._say_question()
        else:
            await self.go_on()

    def _left(self) -> list[Due]:
        due = self.services.review_queue().due
        ids = {item.question for item in due}
        due += tuple(item for item in self._ahead if item.question not in ids)
        return [item for item in due if item.question not in self._passed]

    @property
    def _is_extra(self) -> bool:
        """Return True if the current question is open, and not in `_left`."""
        is_open = self._question is not None and self._verdict is None
        first = is_open and self._draft.attempt == 1
        return first and all(item.question != self._current for item in self._left())

    async def go_on(self) -> Place | Leave | Replace | None:
        for item in self._left():
            self._ahead = [each for each in self._ahead if each.question != item.question]
            if self._show(item.question, item.why):
                return None
            self._passed.add(item.question)
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
        self.ask(*found, self._orders.seed(question), draft)
        return True

    def _say_end(self) -> None:
        queue, now = self.services.review_queue(), self.services.progress.clock()
        answered = counted(self._count, "question")
        if self._count and queue.held:
            self.say(
                _("{questions} answered: today's limit is reached.").format(questions=answered)
            )
        elif queue.held:
            self.say(_("Today's limit is reached."))
        elif self._count:
            self.say(_("{questions} answered. Nothing else is due.").format(questions=answered))
        elif self.services.progress.state().cards:
            self.say(_("Nothing is due."))
        else:
            self.say(_("Nothing to review yet. Questions come back once you have answered them."))
        if self._passed:
            self.say(
                _("{questions} left for later.").format(
                    questions=counted(len(self._passed), "question")
                )
            )
        if queue.held:
            more = bool(self._count or self._passed)
            self.say(
                f"{over_limit(queue, self.services.limits, more=more)}.",
                _("To change the limit, run: tutor review {option} NUMBER").format(
                    option="--cap" if queue.at_cap else "--new"
                ),
            )
        elif queue.next_at is not None:
            self.say(_("The next question is due {when}.").format(when=when(queue.next_at, now)))

    def keep_draft(self, draft: Draft | None) -> None:
        if draft is None or draft.attempt == 1:
            self.services.progress.save_draft(self._current, draft)

    def answered(self, event: Answered) -> None:
        self._count += 1
        self._last = event.question

    def afterword(self) -> str:
        card = self.services.progress.card(self._current)
        if card is None:
            return ""
        retention = self.services.retention
        at = when(due_at(card, retention), self.services.progress.clock())
        said = _("Saved. The next review of this question is {when}.").format(when=at)
        return " ".join(filter(None, (said, about_wait(card, retention))))

    async def skip(self) -> Place | Leave | Replace | None:
        self._passed.add(self._current)
        self.say(_("Left for later. The question stays due."))
        return await self.go_on()

    def more_commands(self) -> Sequence[Command]:
        found = []
        undo = self.services.progress.state().undo
        if undo.answer and undo.question == self._last:
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

    async def _undo(self, rest: str) -> None:
        progress, question = self.services.progress, self._last
        answer = progress.state().undo.answer
        progress.record(Undone(at=progress.clock(), answer=answer, question=question))
        self._count, self._last = max(0, self._count - 1), ""
        self._passed.discard(question)
        self.say(_("Your last answer was undone."))
        self._show(question)

    async def _suspend(self, rest: str) -> Place | Leave | Replace | None:
        progress = self.services.progress
        progress.record(Suspended(at=progress.clock(), question=self._current))
        self.say(_("No longer asked. You can bring the question back in the app."))
        return await self.go_on()

    async def _review_ahead(self, rest: str) -> Place | Leave | Replace | None:
        self._passed.clear()
        self._orders.forget_all_but(self._last)
        queue = self.services.review_queue()
        self._ahead = list((queue.held or queue.ahead)[:AHEAD])
        return await self.go_on()
