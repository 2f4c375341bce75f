"""The progress screen of one lesson, which shows how well the learner remembers each idea in it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from tutor.app.course_screen import MenuScreen
from tutor.app.progress.screen import headings, known_row
from tutor.app.saving import on_disk
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.more_below import MoreBelow
from tutor.app.widgets.static import Static
from tutor.language import _
from tutor.learner import review
from tutor.learner.records import Forgotten
from tutor.study.lesson_progress import lesson_progress
from tutor.text import counted, safe

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.app.services import Navigation, Services
    from tutor.course.outline import Outline

_ASK = _(
    "Forget all your answers in this lesson? Its questions will count as never asked. This cannot"
    " be undone. Press y to forget, Esc to keep them."
)


class LessonProgressScreen(MenuScreen):
    """A screen with a row for each part of a lesson that has questions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "forget", "forget", tooltip="Forget all your answers in this lesson."),
        Binding(
            "f",
            "ask_forget",
            "forget",
            tooltip="Forget all your answers in this lesson. You have to confirm.",
        ),
    ]

    def __init__(self, services: Services, navigation: Navigation, outline: Outline) -> None:
        super().__init__(services, navigation)
        self._outline = outline
        self._asked = False
        """Whether the screen is waiting for the learner to confirm."""

    def compose_content(self) -> ComposeResult:
        with Vertical(classes="card"):
            with VerticalScroll(id="figures", can_focus=False):
                yield Static(id="summary", markup=False)
                yield Menu()
            yield MoreBelow("#figures")

    def on_mount(self) -> None:
        self.place = _("progress · {number} {title}").format(
            number=self._outline.number, title=safe(self._outline.title)
        )

    def on_resize(self) -> None:
        self.call_after_refresh(self.fill)  # the width is known only after the layout

    def fill(self) -> None:
        outline, progress = self._outline, self.services.progress
        state, now = progress.state(), progress.clock()
        where = lesson_progress(outline, progress.lesson(outline.id), progress.cards())
        memory = review.memory_of_screens(state, self.services.asked, now)
        said = _(
            "{seen} of {screens} seen,"
            " {goals} of {labs} done,"
            " {right} of {questions} right last time."
        ).format(
            seen=where.seen,
            screens=counted(where.screens, "screen"),
            goals=where.goals,
            labs=counted(where.labs, "lab"),
            right=where.right,
            questions=counted(where.questions, "question"),
        )
        title = Content.styled(_("What you remember of each idea"), "bold")
        columns = headings("Screen", self.query_one(Menu).size.width)
        lines = [Content(said), Content(""), title, columns]
        self.query_one("#summary", Static).update(Content("\n").join(lines))
        about = {question.screen for question in outline.questions}
        open_at = partial(self.navigation.open_outline, outline, look=True)
        self.show_entries(
            [
                (
                    partial(known_row, safe(screen.title), memory.get((outline.id, screen.id))),
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
        """Cancel if the screen is waiting for confirmation. Otherwise, leave the screen."""
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
        self.fill()
        self.tell(_("Your answers have been forgotten.") if await on_disk(recording) else None)

    def _ask(self, asked: bool) -> None:
        self._asked = asked
        self.refresh_bindings()
