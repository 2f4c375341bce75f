"""One question on the screen: asked, answered, graded, recorded, with something said about every
choice. What comes next is decided by the screens made of this: a quiz, a review."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.css.query import NoMatches
from textual.widgets import Input, Static

from tutor.app.base_screen import TutorScreen
from tutor.app.quiz.answer_field import answer_widgets, how_to_answer
from tutor.app.quiz.answers import (
    Choices,
    Entered,
    Given,
    NothingChosen,
    Ordering,
    TypedAnswer,
)
from tutor.app.quiz.feedback import Feedback
from tutor.app.quiz.live_answers import ask_model
from tutor.app.quiz.matching import Matching
from tutor.app.saving import on_disk
from tutor.app.widgets.inline import inline
from tutor.app.widgets.prose import Prose
from tutor.course.questions.answer_text import as_text, from_text, graded_again
from tutor.course.questions.grading import Verdict, grade
from tutor.course.questions.question import ComparePrompts, NextTokenQuestion
from tutor.errors import TutorError
from tutor.learner.records import Answered, Draft

if TYPE_CHECKING:
    from concurrent.futures import Future

    from textual.app import ComposeResult

    from tutor.course.lesson import Lab, Lesson
    from tutor.course.questions.grading import Answer
    from tutor.course.questions.question import Question

NOTICEABLE = 0.3
"""Seconds after which it is said that an answer is still being saved."""


class AskScreen(TutorScreen):
    """Subclasses say which question is asked (`question`, of `lesson`, choices shuffled by
    `seed`), and start with `ask`."""

    CSS_PATH = "ask.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "next", tooltip="The next question."),
        Binding("r", "retry", "retry", tooltip="Answer this question again."),
        Binding("h", "hint", "hint", tooltip="A hint for this question."),
        Binding("g", "guessed", "I guess", tooltip="Mark the next answer as a guess, or not."),
        Binding("l", "look", "look again", tooltip="The lesson screen that this is about."),
        Binding("o", "lab", "lab", tooltip="Open the lab that this is about, at its prompt."),
        Binding("s", "skip", "skip", tooltip="Leave this question for another time."),
        Binding("tab", "leave_field", "keys", tooltip="From typing to the keys."),
        Binding("tab", "enter_field", "type", tooltip="Back to typing."),
        Binding("up", "scroll(-1)", "scroll", key_display="↑↓", tooltip="Scroll the text."),
        Binding("down", "scroll(1)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._draft = Draft(version=1)
        self._verdict: Verdict | None = None
        self._saving = False
        """An answer was given and is on its way to the disk; what came of it is shown then."""

    # --- what subclasses say --------------------------------------------------------------------

    @property
    def asking(self) -> bool:
        """Whether there is a question on the screen."""
        raise NotImplementedError

    @property
    def question(self) -> Question:
        raise NotImplementedError

    @property
    def lesson(self) -> Lesson:
        raise NotImplementedError

    @property
    def seed(self) -> int:
        raise NotImplementedError

    def kept_draft(self) -> Draft | None:
        """What was entered for the question before the screen was left."""
        return None

    def given_before(self) -> str:
        """The answer that was given to it and not gone on from, as text; or nothing."""
        return ""

    def keep_draft(self, draft: Draft | None) -> None:
        """The question stands there unanswered, with what is entered."""

    def head(self) -> None:
        """Say where we are."""

    def answered(self, event: Answered) -> None:
        """`event` is about to be saved."""

    def remark(self) -> str:
        """What stands before how to answer."""
        return ""

    def afterword(self) -> str:
        """What stands below an answer that is saved."""
        return "saved"

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="quiz", can_focus=False):
            yield Prose(id="ask")
            yield Static(id="how", markup=False)
            yield Container(id="answer")
            yield Static(id="hint", markup=False)
            yield Feedback(id="feedback")

    # --- asking -------------------------------------------------------------------------------

    async def ask(self, draft: Draft | None = None) -> None:
        """Put the current question on the screen, as it was left: with what was entered, or
        answered already."""
        try:
            await self._put(draft)
        except NoMatches:  # the screen was left meanwhile, and what stood on it is gone
            if self in self.app.screen_stack:
                raise

    async def _put(self, draft: Draft | None) -> None:
        question = self.question
        self._verdict, self._saving = None, False
        self._draft = draft or self.kept_draft() or Draft(version=question.version)
        with self.app.batch_update():  # head, text and choices change in one repaint
            self.tell(None)
            self.head()
            await self.query_one(Prose).show(question.ask)
            self._show_how()
            self.query_one(Feedback).update("")
            self._show_hint()
            answer = self.query_one("#answer")
            await answer.remove_children()
            await answer.mount_all(answer_widgets(question, self.seed))
            field = self._field
            if (kept := from_text(question, self._draft.answer)) is not None:
                field.enter(kept)
            field.focus(scroll_visible=False)
            self.query_one("#quiz").scroll_home(animate=False)
            self.refresh_bindings()
        card = self.tutor.progress.card(question.id)
        if card is not None and (given := self.given_before()):
            self._show_again(given, correct=card.last_correct)

    @property
    def _field(self) -> Choices | Ordering | Matching | TypedAnswer:
        """The widget that takes the answer."""
        found = self.query("Choices, Ordering, Matching, TypedAnswer").first()
        assert isinstance(found, Choices | Ordering | Matching | TypedAnswer)
        return found

    def _show_how(self) -> None:
        how = self.query_one("#how", Static)
        parts = (self.remark(), how_to_answer(self.question))
        said = "" if self._verdict else " ".join(filter(None, parts))
        how.update(said)
        how.display = bool(said)

    def _show_hint(self) -> None:
        hint = self.query_one("#hint", Static)
        hint.update(Content("Hint: ") + inline(self.question.hint))
        hint.display = self._draft.hinted

    # --- answering ----------------------------------------------------------------------------

    @property
    def _open(self) -> bool:
        """Whether the question on the screen can still be answered."""
        return self._verdict is None and not self._saving and self.asking

    @on(Entered)
    def _entered(self) -> None:
        if self._open:
            self.tell(None)
            if isinstance(self._field, TypedAnswer):
                self._field.scroll_visible(animate=False)
            answer = self._field.answer
            self._keep(answer="" if answer is None else as_text(answer))

    def _keep(self, **changes: object) -> None:
        """Keep what was entered: it is found again after leaving, in whatever way."""
        draft = msgspec.structs.replace(self._draft, **changes)
        if draft != self._draft:
            self._draft = draft
            self.keep_draft(draft)

    @on(NothingChosen)
    def _advise(self, event: NothingChosen) -> None:
        self.tell(event.advice)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        if not self._open:
            return
        if isinstance(self.question, NextTokenQuestion):
            self._ask_model(self.question, event.value)
        else:
            self._judge(event.value)

    @on(Given)
    def _given(self, event: Given) -> None:
        if not self._open:
            return
        if isinstance(self.question, ComparePrompts) and isinstance(event.answer, int):
            self._ask_model(self.question, event.answer)
        else:
            self._judge(event.answer)

    @work(exclusive=True)
    async def _ask_model(
        self, question: NextTokenQuestion | ComparePrompts, given: str | int
    ) -> None:
        """Grade an answer by the live model; waits for the model, not longer than this question is
        on the screen. Where the model cannot say anything, that is told."""
        if not self.tutor.model_status.ready:
            self.tell(self.tutor.model_status.note or "The model is not ready yet.")
            return
        try:
            live = await ask_model(self.tutor.engine, question, given, self._columns)
        except TutorError as error:
            self.tell(error)
            return
        if self._open and self.question is question:
            self._judge(live.answer, text=as_text(given), table=live.table)

    @property
    def _columns(self) -> int:
        """How many there are for what is said, beside a scroll bar that may be wanted for it."""
        quiz = self.query_one("#quiz")
        bar = 0 if quiz.show_vertical_scrollbar else quiz.styles.scrollbar_size_vertical
        return quiz.scrollable_content_region.width - bar

    def _judge(self, answer: Answer, text: str = "", table: Content | None = None) -> None:
        verdict = grade(self.question, answer)
        if not verdict.counted:
            self.tell(verdict.message)
            return
        event = Answered(
            at=self.tutor.progress.clock(),
            question=self.question.id,
            version=self.question.version,
            lesson=self.lesson.id,
            correct=verdict.correct,
            guessed=self._draft.guessed,
            hinted=self._draft.hinted,
            attempt=self._draft.attempt,
            answer=(text or as_text(answer)).strip(),
        )
        self.answered(event)
        self._saving = True
        self.refresh_bindings()
        self._settle(self.tutor.progress.record(event), verdict, table)

    @work
    async def _settle(
        self, recording: Future[None], verdict: Verdict, table: Content | None
    ) -> None:
        """What came of an answer is said when the answer is on disk, or cannot get there."""
        saved = asyncio.ensure_future(on_disk(recording))
        await asyncio.wait({saved}, timeout=NOTICEABLE)
        if not saved.done():
            self.tell("Saving your answer.")
        succeeded = await saved
        self._saving = False
        self._show_verdict(verdict, table, saved=succeeded)
        if succeeded:
            self.tell(None)

    def _show_again(self, given: str, *, correct: bool) -> None:
        """The question was answered before it was left."""
        answer = from_text(self.question, given)
        if answer is not None:
            self._field.enter(answer)
        self._show_verdict(graded_again(self.question, given, correct=correct), None, saved=True)

    def _show_verdict(self, verdict: Verdict, table: Content | None, *, saved: bool) -> None:
        self._verdict = verdict
        self._field.judge(verdict.notes)
        self.set_focus(None)
        self._show_how()
        afterword = self.afterword() if saved else ""
        self.query_one(Feedback).say(verdict, self.question.why, table, afterword)
        self.call_after_refresh(self._show_end)  # the verdict, once it is known how tall it is

    def _show_end(self) -> None:
        quiz, feedback = self.query_one("#quiz"), self.query_one("#feedback")
        quiz.scroll_to(y=min(feedback.virtual_region.y, quiz.max_scroll_y), animate=False)
        self.refresh_bindings()

    # --- keys ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        judged = self._verdict is not None and self.asking
        match action:
            case "next":
                return judged
            case "retry":
                return judged and self._verdict is not None and not self._verdict.correct
            case "hint" | "guessed" | "skip":
                return self._open
            case "look":
                return judged and self.question.screen is not None
            case "lab":
                return self.asking and self._lab is not None
            case "scroll":
                return self.query_one("#quiz").max_scroll_y > 0
            case "leave_field":
                return self._open and isinstance(self.focused, TypedAnswer)
            case "enter_field":
                return self._open and self.focused is None and bool(self.query(TypedAnswer))
        return True

    async def action_next(self) -> None:
        raise NotImplementedError

    async def action_skip(self) -> None:
        await self.action_next()

    async def action_retry(self) -> None:
        again = Draft(version=self.question.version, attempt=self._draft.attempt + 1)
        self.keep_draft(again)
        await self.ask(again)

    def action_hint(self) -> None:
        self._keep(hinted=True)
        self._show_hint()
        hint = self.query_one("#hint")
        self.call_after_refresh(hint.scroll_visible, animate=False)

    def action_guessed(self) -> None:
        self._keep(guessed=not self._draft.guessed)
        self.head()

    @property
    def _lab(self) -> Lab | None:
        """The lab of the screen that the question is about."""
        screen = self.lesson.screen(self.question.screen or "")
        return screen.lab if screen else None

    def action_lab(self) -> None:
        if (lab := self._lab) is not None:
            self.tutor.open_lab(self.lesson, lab)

    def action_look(self) -> None:
        self.tutor.open_lesson(self.lesson, self.question.screen)

    def action_leave_field(self) -> None:
        self.set_focus(None)

    def action_enter_field(self) -> None:
        self._field.focus()

    def action_scroll(self, lines: int) -> None:
        self.query_one("#quiz").scroll_relative(y=lines, animate=False)
