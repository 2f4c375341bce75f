"""The list of suspended questions. The learner can bring them back into reviews."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from tutor.app.course_screen import CourseScreen
from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.inline import plain
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.static import Static
from tutor.errors import LessonError
from tutor.language import _
from tutor.learner.records import Suspended

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.app.services import Navigation, Services

_UNREADABLE = _("(a question that cannot be read)")


class SuspendedQuestions(Menu):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "choose",
            "bring back",
            tooltip="Bring the selected question back into reviews.",
        ),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.cursor >= 0 if action == "choose" else super().check_action(action, parameters)


class SuspendedScreen(CourseScreen):
    """A screen that lists the suspended questions in the order of the course."""

    CSS_PATH = "suspended.tcss"

    def __init__(self, services: Services, navigation: Navigation) -> None:
        super().__init__(services, navigation)
        self._words: dict[str, str] = {}
        """The text of each suspended question, by its id."""
        self._shown: list[str] = []

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="suspended", can_focus=False):
            yield Static(id="said", markup=False)
            yield SuspendedQuestions()

    def on_mount(self) -> None:
        self.place = _("review · no longer asked")
        self._read()

    @work
    async def _read(self) -> None:
        self._words = await asyncio.to_thread(self._asked_in, self._suspended())
        self._fill()
        self.query_one(Menu).focus(scroll_visible=False)

    def _asked_in(self, questions: list[str]) -> dict[str, str]:
        """Return the text of each question, by its id.

        This may read lesson files, so it runs in a thread.
        """
        words = dict.fromkeys(questions, _UNREADABLE)
        for name in questions:
            with suppress(LessonError):
                if found := self.services.course.question(name):
                    words[name] = plain(found[1].ask)
        return words

    def _suspended(self) -> list[str]:
        cards = self.services.progress.cards()
        return [name for name in self.services.asked if name in cards and cards[name].suspended]

    def _fill(self) -> None:
        self._shown = [name for name in self._suspended() if name in self._words]
        said = (
            _("Reviews no longer ask these questions.")
            if self._shown
            else _("There is no question to bring back.")
        )
        self.query_one("#said", Static).update(said)
        rows = [partial(_row, self._number(name), self._words[name]) for name in self._shown]
        menu = self.query_one(Menu)
        menu.show(rows, cursor=max(0, menu.cursor) if rows else -1)
        self.refresh_bindings()

    def _number(self, question: str) -> str:
        outline = self.services.course.outline(self.services.asked[question].lesson)
        return str(outline.number) if outline else ""

    @on(Menu.Chosen)
    def _bring_back(self, event: Menu.Chosen) -> None:
        progress = self.services.progress
        name = self._shown[event.index]
        progress.record(Suspended(at=progress.clock(), question=name, suspended=False))
        self._fill()
        self.tell(
            _("Brought back: {words}").format(words=figures.fit(self._words[name], 50).rstrip())
        )


def _row(number: str, words: str, width: int) -> Content:
    row = Content.assemble((f"{number:>2}  ", MUTED), words)
    return row.truncate(width, ellipsis=True)
