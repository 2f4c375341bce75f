"""The base class of quizzes and reviews.

It shows a question, grades and records the answer, and explains it. The subclasses decide which
question comes next.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import msgspec
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.widgets import Input

from tutor.app.base_screen import ENTER_PAGES, PAN_KEYS, scroll_keys
from tutor.app.course_screen import CourseScreen
from tutor.app.quiz.answers import AnswerList, Entered, Given, NothingChosen, TypedAnswer
from tutor.app.quiz.course_model import introduced
from tutor.app.quiz.live_answers import ask_model
from tutor.app.quiz.question_view import QuestionView
from tutor.app.saving import on_disk
from tutor.app.widgets.copyable import Copy
from tutor.app.widgets.inline import plain
from tutor.app.widgets.more_below import MoreBelow
from tutor.errors import TutorError
from tutor.language import _
from tutor.learner.records import Answered, Draft
from tutor.learner.schedule import guess_matters, hint_matters
from tutor.study.memory_words import AFTER_A_GUESS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from textual.app import ComposeResult
    from textual.content import Content
    from textual.widget import Widget

    from tutor.app.services import Navigation, Services
    from tutor.course.lesson import Lab, Lesson
    from tutor.course.questions.answers import Answer
    from tutor.course.questions.question import Question
    from tutor.course.questions.verdict import Verdict

NOTICEABLE = 0.3
"""The time, in seconds, before a notice says that an answer is being saved."""
_GUESS = Binding(
    "g",
    "guessed",
    "it's a guess",
    tooltip="Mark your answer as a guess before you submit it, to review it soon.",
    id="guessed",
)
_LEAVE_FIELD = Binding(
    "tab",
    "leave_field",
    "leave field",
    tooltip="Leave the text field, so that letter keys work again (such as h for a hint).",
    id="hint-skip",
)


class Asked(NamedTuple):
    """A question of a lesson, and what the learner has already entered.

    `seed` determines the order of the choices, and `remark` is shown before the instructions.
    `draft` is an answer that was entered but not submitted. `given` is the text of an answer that
    was submitted before the learner left the screen.
    """

    lesson: Lesson
    question: Question
    seed: int
    draft: Draft | None
    remark: str = ""
    given: str = ""

    @property
    def lab(self) -> Lab | None:
        """The lab that belongs to the question, or None."""
        screen = self.lesson.screen(self.question.screen or "")
        return screen.lab if screen else None


class AskScreen(CourseScreen):
    """A screen that asks questions.

    Subclasses call `ask` and override methods such as `keep_draft` and `answered`.
    """

    CSS_PATH = "ask.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        ENTER_PAGES,
        Binding("enter", "next", "next", tooltip="Go to the next question."),
        Binding("r", "retry", "try again", tooltip="Answer this question again."),
        Binding("h", "hint(True)", "hint", tooltip="Show a hint. A right answer then counts less."),
        Binding("h", "hint(False)", "hint", tooltip="Show a hint."),
        Binding("s", "skip", "skip", tooltip="Leave this question for later."),
        _GUESS,
        Binding("o", "look", "lesson", tooltip="Open the lesson screen for this question."),
        Binding("l", "lab", "lab", tooltip="Open the lab for this question, with its prompt."),
        _LEAVE_FIELD,
        Binding("tab", "enter_field", "type", tooltip="Go back to the text field."),
        Binding("enter", "enter_field", show=False),
        *scroll_keys(_("Scroll the text.")),
        *PAN_KEYS,
    ]
    SCROLLED = "#quiz"

    def __init__(self, services: Services, navigation: Navigation) -> None:
        super().__init__(services, navigation)
        self.asked: Asked | None = None
        """The question on the screen, or None."""
        self._draft = Draft(version=1)
        self._verdict: Verdict | None = None
        self._saving = False
        """Whether an answer is being saved. The verdict is shown only after that."""
        self._intro = ""  # the line before the explanation

    def keep_draft(self, draft: Draft | None) -> None:
        """Save an answer that the learner has entered but not submitted."""

    def head(self) -> None:
        """Update the status line for the question on the screen."""

    def answered(self, event: Answered) -> None:
        """Update the quiz or review when an answer is submitted, before the answer is saved."""

    def afterword(self) -> str:
        """Return the line to show below the explanation of a saved answer."""
        return _("saved")

    def compose_content(self) -> ComposeResult:
        with Vertical(classes="card"):
            yield QuestionView(id="quiz")
            yield MoreBelow(self.SCROLLED)

    @property
    def view(self) -> QuestionView:
        return self.query_one(QuestionView)

    @property
    def question(self) -> Question:
        assert self.asked is not None
        return self.asked.question

    @property
    def lesson(self) -> Lesson:
        assert self.asked is not None
        return self.asked.lesson

    async def ask(self, asked: Asked) -> None:
        """Show a question, and the answer that the learner has already entered or submitted."""
        self.asked = asked
        try:
            await self._put(asked)
        except NoMatches:  # the screen has been closed, and its widgets are gone
            if self in self.app.screen_stack:
                raise

    async def _put(self, asked: Asked) -> None:
        question = asked.question
        self._verdict, self._saving, self._intro = None, False, ""
        self._draft = asked.draft or Draft(version=question.version)
        # The status line, the text and the choices are repainted together.
        with self.app.batch_update():
            self.tell(None)
            self.head()
            entered = question.from_text(self._draft.answer)
            await self.view.ask(question, asked.seed, asked.remark, entered)
            self.view.show_hint(question, self._draft)
            field = self.view.field
            if entered is None and isinstance(field, AnswerList):
                field.resume(self._draft.answer)
            self.refresh_bindings()
        card = self.services.progress.card(question.id)
        if card is not None and asked.given:
            self._show_again(asked.given, correct=card.last_correct)

    @property
    def _open(self) -> bool:
        """True if the question on the screen has not been answered yet."""
        return self._verdict is None and not self._saving and self.asked is not None

    @on(Entered)
    def _entered(self, event: Entered) -> None:
        if self._open and self.view.shows(event.field):
            self.tell(None)
            field = self.view.field
            if isinstance(field, TypedAnswer):
                field.scroll_visible(animate=False)
            answer = field.answer
            unfinished = field.unfinished if isinstance(field, AnswerList) else ""
            self._keep(answer=unfinished if answer is None else self.question.as_text(answer))

    def _keep(self, **changes: object) -> None:
        """Save the answer entered so far, so that it is not lost when the learner leaves."""
        draft = msgspec.structs.replace(self._draft, **changes)
        if draft != self._draft:
            self._draft = draft
            self.keep_draft(draft)

    @on(NothingChosen)
    def _advise(self, event: NothingChosen) -> None:
        self.tell(event.advice)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        self._take(event.value, event.input)

    @on(Given)
    def _given(self, event: Given) -> None:
        self._take(event.answer, event.field)

    def _take(self, answer: Answer, field: Widget) -> None:
        if self._open and self.view.shows(field):
            if self.question.asks_model:
                self._ask_model(self.question, answer)
            else:
                self._judge(answer)

    @work(exclusive=True)
    async def _ask_model(self, question: Question, given: Answer) -> None:
        """Grade an answer with the live model.

        If the model is not ready or fails, show the reason. If the learner has left the question
        in the meantime, do nothing.
        """
        if not self.services.model.status.ready:
            self.tell(self.services.model.status.note or _("The model is not ready yet."))
            return
        try:
            live = await ask_model(self.services.engine, question, given, self.view.columns)
        except TutorError as error:
            self.tell(error)
            return
        if self._open and self.question is question:
            self._judge(live.answer, text=question.as_text(given), table=live.table)

    def _judge(self, answer: Answer, text: str = "", table: Content | None = None) -> None:
        verdict = self.question.grade(answer)
        if not verdict.counted:
            self.tell(verdict.message)
            return
        event = Answered(
            at=self.services.progress.clock(),
            question=self.question.id,
            version=self.question.version,
            lesson=self.lesson.id,
            correct=verdict.correct,
            guessed=self._draft.guessed,
            hinted=self._draft.hinted,
            attempt=self._draft.attempt,
            answer=(text or self.question.as_text(answer)).strip(),
        )
        self.answered(event)
        self._saving = True
        self.refresh_bindings()
        self._settle(self.asked, self.services.progress.record(event), verdict, table)

    @work
    async def _settle(
        self, asked: Asked | None, recording: Future[None], verdict: Verdict, table: Content | None
    ) -> None:
        """Show the verdict on the answer to `asked` once it is saved, or saving has failed."""
        saved = asyncio.ensure_future(on_disk(recording))
        await asyncio.wait({saved}, timeout=NOTICEABLE)
        if not saved.done():
            self.tell(_("Saving your answer."))
        succeeded = await saved
        if self.asked is not asked:  # the learner skipped the question at the same moment
            return
        self._saving = False
        self._show_verdict(verdict, table, saved=succeeded)
        if succeeded:
            self.tell(None)

    def _show_again(self, given: str, *, correct: bool) -> None:
        """Show the verdict on an answer that the learner submitted before leaving the screen."""
        if (answer := self.question.from_text(given)) is not None:
            self.view.field.enter(answer)
        self._show_verdict(self.question.grade_again(given, correct=correct), None, saved=True)

    def _show_verdict(self, verdict: Verdict, table: Content | None, *, saved: bool) -> None:
        self._verdict = verdict
        self._intro = introduced(self.question, self.services.engine.model, table is not None)
        unsaved = _("Your answer was not saved, so this question stays open.")
        afterword = self.afterword() if saved else unsaved
        self.view.show_verdict(verdict, self.question.why, table, afterword, self._intro)
        self.head()
        self.set_focus(None)
        self.call_after_refresh(self.view.scroll_to_verdict)  # after any pending scroll to a hint
        self.refresh_bindings()

    def action_scroll(self, lines: int) -> None:
        self.view.stay()
        super().action_scroll(lines)

    def action_page(self, direction: int) -> None:
        self.view.stay()
        super().action_page(direction)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        judged = self._verdict is not None and self.asked is not None
        match action:
            case "next":
                return judged
            case "retry":
                return judged and self._verdict is not None and not self._verdict.correct
            case "hint":
                matters = hint_matters(self._draft) and not self._draft.hinted
                return self._open and (matters,) == parameters
            case "guessed" | "skip":
                return self._open
            case "look":
                return judged and self.question.screen is not None
            case "lab":
                return self.asked is not None and self.asked.lab is not None
            case "scroll":
                return self.can_scroll
            case "more":
                return judged and self.hides_text
            case "leave_field":
                field = self.focused
                typing = isinstance(field, TypedAnswer) and field.check_consume_key("h", "h")
                return self._open and typing
            case "enter_field":
                return self._open and self.focused is None and self.view.has_text_field
        return super().check_action(action, parameters)

    def copies(self) -> Iterator[Copy]:
        """Yield what can be copied: the question, its choices, the answer, and the explanation."""
        if self.asked is None:
            return
        field = self.view.field
        lines = field.plain if isinstance(field, AnswerList) else []
        yield Copy(_("the question"), "\n".join([self.question.ask.strip(), "", *lines]).strip())
        if (answer := field.answer) is not None:
            yield Copy(_("your answer"), self.question.as_text(answer))
        if self._verdict is not None:
            said = (self._verdict.message, self._intro, plain(self.question.why))
            yield Copy(_("the explanation"), " ".join(filter(None, said)))

    async def action_next(self) -> None:
        raise NotImplementedError

    async def action_retry(self) -> None:
        if self.asked is not None:
            again = Draft(version=self.question.version, attempt=self._draft.attempt + 1)
            self.keep_draft(again)
            await self.ask(self.asked._replace(draft=again, given=""))

    def action_hint(self, _matters: bool) -> None:
        self._keep(hinted=True)
        self.tell(None)
        self.action_enter_field()
        self.view.show_hint(self.question, self._draft)
        self.refresh_bindings()
        self.call_after_refresh(self.view.scroll_to_hint)

    def action_guessed(self) -> None:
        self._keep(guessed=not self._draft.guessed)
        self.tell(AFTER_A_GUESS if guess_matters(self._draft) else None)
        self.action_enter_field()
        self.view.show_hint(self.question, self._draft)
        self.refresh_bindings()
        self.head()

    def action_lab(self) -> None:
        if self.asked is not None and (lab := self.asked.lab) is not None:
            self.navigation.open_lab(self.lesson, lab)

    def action_look(self) -> None:
        self.navigation.open_lesson(self.lesson, self.question.screen, look=True)

    def action_leave_field(self) -> None:
        self.set_focus(None)

    def action_enter_field(self) -> None:
        self.view.field.focus(scroll_visible=False)
