"""The questions of a lesson, one at a time, with something said about every choice."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from tutor.app.next_token import LookedUp, look_up
from tutor.app.quiz_run import QuizRun, begun, resumed
from tutor.app.screens.base import TutorScreen
from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.app.widgets.answers import Choices, Given, Ordering, TypedAnswer
from tutor.app.widgets.guess_table import guess_table
from tutor.app.widgets.prose import Prose
from tutor.course.grading import Verdict, grade
from tutor.course.question import (
    NextTokenQuestion,
    NumberQuestion,
    OrderQuestion,
    Question,
    SeveralChoices,
    SingleChoice,
)
from tutor.course.shuffle import choice_order
from tutor.errors import TutorError
from tutor.learner.records import Answered
from tutor.text import safe

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.course.grading import Answer
    from tutor.course.lesson import Lesson

_NUMBER_KEYS = "0123456789.,-+/%e "


class QuizScreen(TutorScreen):
    """Asks, grades, records, says why. The place is kept to the question: killed at any moment,
    it goes on at the same one."""

    CSS_PATH = "quiz.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "next", tooltip="The next question."),
        Binding("r", "retry", "retry", tooltip="Answer this question again."),
        Binding("h", "hint", "hint", tooltip="A hint for this question."),
        Binding("g", "guessed", "I guess", tooltip="Mark the next answer as a guess, or not."),
        Binding("l", "look", "look again", tooltip="The lesson screen that this is about."),
        Binding("s", "skip", "skip", tooltip="Leave this question for another time."),
        Binding("tab", "leave_field", "keys", tooltip="From typing to the keys."),
        Binding("tab", "enter_field", "type", tooltip="Back to typing."),
        Binding("up", "scroll(-1)", "scroll", key_display="↑↓", tooltip="Scroll the text."),
        Binding("down", "scroll(1)", show=False),
    ]

    def __init__(self, lesson: Lesson) -> None:
        super().__init__()
        self._lesson = lesson
        self._run = QuizRun((), 0)
        self._verdict: Verdict | None = None
        self._attempt = 1
        self._hinted = False
        self._guessed = False
        self._unsure: set[str] = set()
        """Questions of this run that were answered by a guess."""

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="quiz", can_focus=False):
            yield Prose(id="ask")
            yield Container(id="answer")
            yield Static(id="hint", markup=False)
            yield Static(id="feedback", markup=False)

    def on_mount(self) -> None:
        state = self.tutor.progress.lesson(self._lesson.id)
        self._run = resumed(self._lesson, state) or begun(self._lesson, random.getrandbits(32))
        self._save_place()
        self.call_after_refresh(self._ask)

    @property
    def _question(self) -> Question:
        return self._run.question(self._lesson)

    # --- asking -------------------------------------------------------------------------------

    async def _ask(self) -> None:
        """Put the current question on the screen, unanswered."""
        question = self._question
        self._verdict, self._hinted, self._guessed = None, False, False
        with self.app.batch_update():  # head, text and choices change in one repaint
            self.tell(None)
            self._head()
            await self.query_one(Prose).show(question.ask)
            self.query_one("#feedback", Static).update("")
            self.query_one("#hint").display = False
            answer = self.query_one("#answer")
            await answer.remove_children()
            await answer.mount_all(self._answer_widgets(question))
            field = answer.query("Choices, Ordering, TypedAnswer").first()
            field.focus(scroll_visible=False)
            self.query_one("#quiz").scroll_home(animate=False)
            self.refresh_bindings()

    def _head(self) -> None:
        lesson, run = self._lesson, self._run
        self.place = (
            f"{lesson.number} {safe(lesson.title)} · question {run.index + 1} of {len(run.order)}"
        )
        self.aside = "a guess" if self._guessed else ""

    def _answer_widgets(self, question: Question) -> list[Choices | Ordering | Static | Horizontal]:
        order = choice_order(question, self._run.seed)
        match question:
            case SingleChoice() | SeveralChoices():
                several = isinstance(question, SeveralChoices)
                return [Choices(question.choices, order, several=several)]
            case OrderQuestion():
                return [Ordering(question.items, order)]
            case NumberQuestion():
                field = TypedAnswer(allowed=_NUMBER_KEYS, placeholder="a number")
                return [_field(field, question.unit)]
            case NextTokenQuestion():
                prompt = Content.assemble(safe(question.prompt), (" …", MUTED))
                guess = TypedAnswer(placeholder="how it goes on")
                return [Static(prompt, classes="prompt"), _field(guess)]
        return [_field(TypedAnswer(placeholder="a word or two"))]

    # --- answering ----------------------------------------------------------------------------

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        if self._verdict is not None:
            return
        if isinstance(self._question, NextTokenQuestion):
            self._guess(self._question, event.value)
        else:
            self._judge(event.value)

    @on(Given)
    def _given(self, event: Given) -> None:
        if self._verdict is None:
            self._judge(event.answer)

    @work(exclusive=True)
    async def _guess(self, question: NextTokenQuestion, typed: str) -> None:
        """Grade a guess by the live model; waits for the model, not longer than this question
        is on the screen."""
        if not self.tutor.model_status.ready:
            self.tell(self.tutor.model_status.note or "The model is not ready yet.")
            return
        try:
            found = await look_up(self.tutor.engine, question, typed)
        except TutorError as error:
            self.tell(error)
            return
        if self._run.over or self._question is not question or self._verdict is not None:
            return
        self._judge(found.guess.rank, text=typed, found=found)

    def _judge(self, answer: Answer, text: str = "", found: LookedUp | None = None) -> None:
        verdict = grade(self._question, answer)
        if not verdict.counted:
            self.tell(verdict.message)
            return
        self._verdict = verdict
        if self._guessed:
            self._unsure.add(self._question.id)
        saved = self.tutor.record(
            Answered(
                at=time.time(),
                question=self._question.id,
                version=self._question.version,
                lesson=self._lesson.id,
                correct=verdict.correct,
                guessed=self._guessed,
                hinted=self._hinted,
                attempt=self._attempt,
                answer=text or _as_text(answer),
            )
        )
        self._show_verdict(verdict, found, saved=saved)

    def _show_verdict(self, verdict: Verdict, found: LookedUp | None, *, saved: bool) -> None:
        for widget in self.query("Choices, Ordering, TypedAnswer"):
            assert isinstance(widget, Choices | Ordering | TypedAnswer)
            widget.judge(verdict.notes)
        self.set_focus(None)
        mark = ("✓ ", f"bold {RIGHT}") if verdict.correct else ("× ", f"bold {NOT_YET}")
        lines = [Content.assemble(mark, (safe(verdict.message), "bold"))]
        if found is not None:
            lines += [Content(""), guess_table(found, self.size.width), Content("")]
        lines.append(Content(safe(self._question.why)))
        if saved:
            lines.append(Content.styled("saved", MUTED))
            self.tell(None)
        self.query_one("#feedback", Static).update(Content("\n").join(lines))
        self.call_after_refresh(self._show_end)  # the verdict, once it is known how tall it is

    def _show_end(self) -> None:
        self.query_one("#quiz").scroll_end(animate=False)
        self.refresh_bindings()

    # --- keys ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        judged = self._verdict is not None
        match action:
            case "next":
                return judged
            case "retry":
                return judged and self._verdict is not None and not self._verdict.correct
            case "hint" | "guessed" | "skip":
                return not judged
            case "look":
                return judged and self._question.screen is not None
            case "scroll":
                return self.query_one("#quiz").max_scroll_y > 0
            case "leave_field":
                return not judged and isinstance(self.focused, TypedAnswer)
            case "enter_field":
                return not judged and self.focused is None and bool(self.query(TypedAnswer))
        return True

    async def action_next(self) -> None:
        self._run, self._attempt = self._run.next(), 1
        self._save_place()
        if self._run.over:
            self.tutor.show_result(self._lesson, frozenset(self._unsure))
        else:
            await self._ask()

    async def action_skip(self) -> None:
        await self.action_next()

    async def action_retry(self) -> None:
        self._attempt += 1
        await self._ask()

    def action_hint(self) -> None:
        self._hinted = True
        hint = self.query_one("#hint", Static)
        hint.update(Content(f"Hint: {safe(self._question.hint)}"))
        hint.display = True

    def action_guessed(self) -> None:
        self._guessed = not self._guessed
        self._head()

    def action_look(self) -> None:
        self.tutor.open_lesson(self._lesson, self._question.screen)

    def action_leave_field(self) -> None:
        self.set_focus(None)

    def action_enter_field(self) -> None:
        self.query_one(TypedAnswer).focus()

    def action_scroll(self, lines: int) -> None:
        self.query_one("#quiz").scroll_relative(y=lines, animate=False)

    def _save_place(self) -> None:
        state = self.tutor.progress.lesson(self._lesson.id)
        self.tutor.save_place(self._run.saved_in(state))


def _field(answer: TypedAnswer, unit: str = "") -> Horizontal:
    mark = Static("> ", classes="mark", markup=False)
    return Horizontal(mark, answer, Static(safe(unit), classes="unit", markup=False), id="field")


def _as_text(answer: Answer) -> str:
    """An answer as it is written in the log: what was typed, or places counted from 1."""
    match answer:
        case str():
            return answer.strip()[:200]
        case int():
            return str(answer + 1)
        case _:
            places = sorted(answer) if isinstance(answer, frozenset) else answer
            return ",".join(str(place + 1) for place in places)
