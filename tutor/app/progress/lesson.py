"""How well the ideas of one lesson are known; and the way to forget it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tutor.app.base_screen import MenuScreen
from tutor.app.progress.screen import known_row
from tutor.app.saving import on_disk
from tutor.app.widgets.menu import Menu
from tutor.learner import review
from tutor.learner.records import Forgotten
from tutor.study.lesson_progress import lesson_progress
from tutor.text import counted, safe

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Resize

    from tutor.app.services import Navigation, Services
    from tutor.course.outline import Outline

_ASK = (
    "Forget every answer that you gave in this lesson? Its questions count as never asked, and it"
    " cannot be undone. y forgets them, Esc keeps them."
)


class LessonProgressScreen(MenuScreen):
    """A row for each screen that has questions: one idea a screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "forget", "forget", tooltip="Yes: forget every answer of this lesson."),
        Binding("f", "ask_forget", "forget", tooltip="Forget this lesson; asks you once more."),
    ]

    def __init__(self, services: Services, navigation: Navigation, outline: Outline) -> None:
        super().__init__(services, navigation)
        self._outline = outline
        self._asked = False
        """Whether it has been asked if the lesson should be forgotten."""

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="figures", can_focus=False):
            yield Static(id="summary", markup=False)
            yield Menu()

    def on_mount(self) -> None:
        self.place = f"progress · {self._outline.number} {safe(self._outline.title)}"

    def on_resize(self, event: Resize) -> None:
        self._fill()

    def on_screen_resume(self) -> None:
        self._fill()

    def _fill(self) -> None:
        outline, progress = self._outline, self.services.progress
        state, now = progress.state(), progress.clock()
        where = lesson_progress(outline, progress.lesson(outline.id), progress.cards())
        known = review.mastery_of_screens(state, self.services.asked, now)
        said = (
            f"{where.seen} of {counted(where.screens, 'screen')} seen,"
            f" {where.goals} of {counted(where.labs, 'lab')} done,"
            f" {where.right} of {counted(where.questions, 'question')} right at last."
        )
        head = Content(said)
        title = Content.styled("How well each idea is known", "bold")
        self.query_one("#summary", Static).update(Content("\n").join([head, Content(""), title]))
        about = {question.screen for question in outline.questions}
        open_at = partial(self.navigation.open_outline, outline)
        self.show_entries(
            [
                (
                    partial(known_row, safe(screen.title), known.get((outline.id, screen.id))),
                    partial(open_at, screen.id),
                )
                for screen in outline.screens
                if screen.id in about
            ]
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "forget":
                return self._asked
            case "ask_forget":
                cards = self.services.progress.cards()
                answered = any(each.id in cards for each in self._outline.questions)
                return answered and not self._asked
        return True

    def action_ask_forget(self) -> None:
        self._ask(True)
        self.tell(_ASK)

    def action_back(self) -> None:
        """From the question whether to forget to the figures, and from there back."""
        if self._asked:
            self._ask(False)
            self.tell(None)
        else:
            super().action_back()

    async def action_forget(self) -> None:
        self._ask(False)
        progress = self.services.progress
        questions = tuple(question.id for question in self._outline.questions)
        event = Forgotten(at=progress.clock(), lesson=self._outline.id, questions=questions)
        recording = progress.record(event)
        self._fill()
        self.tell("Forgotten." if await on_disk(recording) else None)

    def _ask(self, asked: bool) -> None:
        self._asked = asked
        self.refresh_bindings()
