"""The review screen, which asks the questions that are due, from all lessons."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from tutor.app.base_screen import ENTER_PAGES
from tutor.app.key_scheme import ARROWS
from tutor.app.quiz.answers import RANGES
from tutor.app.quiz.ask import NOTICEABLE, Asked, AskScreen
from tutor.app.review.summary import summary
from tutor.app.widgets.figures import when
from tutor.app.widgets.key_names import press
from tutor.errors import LessonError
from tutor.language import _
from tutor.learner.records import Answered, Draft, Suspended, Undone
from tutor.learner.schedule import due_at
from tutor.study.memory_words import about_wait
from tutor.study.review_run import ReviewRun

if TYPE_CHECKING:
    from tutor.app.services import Navigation, Services
    from tutor.learner.records import Card
    from tutor.learner.review import Due

_FIRST_KEYS = (
    *("y", "enter", "space", *RANGES, ARROWS),  # these answer the question
    *("r", "tab", "h", "s", "g", "u", "o", "l"),
)


class ReviewScreen(AskScreen):
    """A review. Each answer is saved immediately, so the learner can stop at any question."""

    CSS_PATH = "../quiz/ask.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        ENTER_PAGES,
        Binding("enter", "next", "next", tooltip="Go to the next question."),
        Binding("enter", "rest", "review", tooltip="Answer the questions that you left for later."),
        Binding(
            "enter",
            "ahead(False)",
            "review ahead",
            tooltip="Review some questions before they are due.",
        ),
        Binding(
            "enter",
            "ahead(True)",
            "review more",
            tooltip="Review the questions that are due, over today's limit.",
        ),
        Binding(
            "u", "undo('answer')", "undo answer", tooltip="Undo your last answer, and answer again."
        ),
        Binding(
            "u",
            "undo('suspension')",
            "undo",
            tooltip="Bring back the question that you have just left out.",
            id="undo-suspension",
        ),
        Binding(
            "z",
            "suspend",
            "skip forever",
            tooltip="Leave this question out of all reviews. You can bring it back at any time.",
            id="suspend",
        ),
        Binding(
            "z",
            "open('suspended')",
            "bring back",
            tooltip="Bring back questions that reviews no longer ask.",
            id="suspended",
        ),
    ]
    first_keys = _FIRST_KEYS

    def __init__(self, services: Services, navigation: Navigation) -> None:
        super().__init__(services, navigation)
        self._review = ReviewRun(services.review_queue)
        self._ended = False
        """Whether the review has ended because no questions are left."""
        self._just_suspended: tuple[str, bool] = ("", False)
        """The id of the latest suspended question, or "", and whether it was still unanswered."""
        self._answered_at = 0.0
        """The time of the latest answer in this review, on a monotonic clock."""
        self._moving_on = False
        """Whether another question is being read from disk.

        The question on the screen then takes no answer, because its verdict would not be shown.
        """

    @property
    def _open(self) -> bool:
        return super()._open and not self._moving_on

    def on_mount(self) -> None:
        self.place = _("review")
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        if self.asked is None:  # otherwise, the learner is already reviewing ahead
            await self._go_on()

    async def on_screen_resume(self) -> None:
        """Continue if the review had ended and more questions have become due."""
        if self._ended:
            await self._go_on()

    @property
    def _open_question(self) -> str:
        """The id of the question on the screen that is still to be answered, or ""."""
        return self.question.id if self._open else ""

    async def _go_on(self) -> None:
        """Ask the next question. If there is none, end the review."""
        while item := self._review.next():
            if await self._show(item.question, item):
                return
            self._review.skip(item.question)
        await self._end()

    async def _show(self, question: str, item: Due | None) -> bool:
        """Ask the question with this id. Return False if it cannot be read."""
        self._moving_on = True
        try:
            found = await asyncio.to_thread(self.services.course.question, question)
        except LessonError:
            found = None
        finally:
            self._moving_on = False
        if found is None:
            return False
        self._ended = False
        draft = self.services.progress.draft(question)
        if draft is not None and draft.version != found[1].version:
            draft = None
        remark = item.why if item else ""
        await self.ask(Asked(*found, self._review.orders.seed(question), draft, remark))
        return True

    async def _end(self) -> None:
        """Show that the review has ended, and when the next question is due."""
        self.asked, self._verdict, self._ended = None, None, True
        queue = self.services.review_queue()
        self.set_focus(None)
        with self.app.batch_update():
            self.tell(None)
            some = bool(self.services.progress.state().cards)
            now, limits = self.services.progress.clock(), self.services.limits
            count, skipped = self._review.count, self._review.skipped
            await self.view.show_end(summary(queue, limits, count, skipped, now, some=some))
            self.place, self.aside = _("review"), ""
        self.refresh_bindings()

    def head(self) -> None:
        left = self._review.left(self._open_question if self._draft.attempt == 1 else "")
        self.place = _("review · {left} left").format(left=left)
        guess = "a guess  " if self._draft.guessed else ""
        self.aside = _("{guess}lesson {number}").format(guess=guess, number=self.lesson.number)

    def afterword(self) -> str:
        card = self.services.progress.card(self.question.id)
        if card is None:
            return _("saved")
        return _next_review(card, self.services.retention, self.services.progress.clock())

    def action_back(self) -> None:
        """Close the review, or show the verdict first if an answer is just being saved.

        A review does not show a question again after it is answered. If the terminal sent Enter
        and Esc together, the learner would otherwise never see the verdict. On a slow disk, a
        second Esc closes the review before the answer is saved.
        """
        if not self._saving or monotonic() - self._answered_at > NOTICEABLE:
            super().action_back()

    def answered(self, event: Answered) -> None:
        self._review.answered(event.question)
        self._answered_at = monotonic()
        self._just_suspended = ("", False)

    def keep_draft(self, draft: Draft | None) -> None:
        # Only the first attempt counts as a review, so drafts of later attempts are not saved.
        if draft is None or draft.attempt == 1:
            self.services.progress.save_draft(self.question.id, draft)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "suspend":
                return self.asked is not None and not self._saving
            case "open":
                return self.asked is None and self.services.review_queue().suspended > 0
            case "rest":
                return self.asked is None and bool(self.services.review_queue().due)
            case "ahead":
                queue = self.services.review_queue()
                ends = self.asked is None and not queue.due
                return (
                    ends and bool(queue.held or queue.ahead) and (bool(queue.held),) == parameters
                )
            case "undo":
                if self._saving or not (self._last_suspended() or self._last_answered()):
                    return False
                return bool(self._last_suspended()) == ("suspension" in parameters)
        return super().check_action(action, parameters)

    async def action_next(self) -> None:
        await self._go_on()

    async def action_skip(self) -> None:
        due = self._review.skip(self.question.id)
        await self._go_on()
        if self.asked is not None:
            said = _("The previous question is left for later.")
            self.tell(_("{said} It stays due.").format(said=said) if due else said)

    async def action_rest(self) -> None:
        self._review.ask_skipped()
        await self._go_on()

    async def action_ahead(self, _over_limit: bool) -> None:
        self._review.review_ahead()
        await self._go_on()

    async def action_suspend(self) -> None:
        progress = self.services.progress
        self._just_suspended = (self.question.id, self._open)
        progress.record(Suspended(at=progress.clock(), question=self.question.id))
        await self._go_on()
        undo = _("{press} to undo.").format(press=press(self, "u"))
        self.tell(
            _("No longer asked. {undo} The progress screen can bring it back.").format(undo=undo)
        )

    def _last_suspended(self) -> str:
        """Return the id of the question whose suspension can be undone, or ""."""
        card = self.services.progress.card(self._just_suspended[0])
        return card.question if card and card.suspended else ""

    def _last_answered(self) -> str:
        """Return the id of the question whose answer can be undone, or ""."""
        return self._review.undoable(self.services.progress.state().undo, self.services.asked)

    async def action_undo(self, _what: str) -> None:
        if question := self._last_suspended():
            await self._bring_back(question, ask=self._just_suspended[1])
        else:
            await self._undo_answer()

    async def _bring_back(self, question: str, *, ask: bool) -> None:
        progress = self.services.progress
        progress.record(Suspended(at=progress.clock(), question=question, suspended=False))
        self._just_suspended = ("", False)
        if ask:
            self._review.postpone(self._open_question)
            await self._show(question, None)
        elif self._ended:
            await self._end()
        else:
            self.head()
        self.refresh_bindings()
        self.tell(_("Brought back. Reviews ask this question again."))

    async def _undo_answer(self) -> None:
        question = self._last_answered()
        if not question:
            return
        progress = self.services.progress
        answer = progress.state().undo.answer
        progress.record(Undone(at=progress.clock(), answer=answer, question=question))
        self._review.undone(self._open_question)
        await self._show(question, None)
        self.tell(_("Your last answer was undone. Answer the question again, or press Esc."))


def _next_review(card: Card, retention: float, now: float) -> str:
    """Say that an answer is saved, and when the question is due again."""
    said = _("saved · next review {when}").format(when=when(due_at(card, retention), now))
    return f"{said}. {about}" if (about := about_wait(card, retention)) else said
