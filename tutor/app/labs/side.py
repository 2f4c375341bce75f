"""The task and goals of a lab, above it or next to it, and the lesson text that embeds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from tutor.app.widgets.prose import Prose
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.geometry import Size
    from textual.widgets import Markdown

    from tutor.app.widgets.lab_card import LabTask
    from tutor.course.lesson import Screen
    from tutor.labs.kit.view import LabHost

_WIDTH, _HEIGHT = 190, 44
"""The minimum screen size, in columns and rows, to show the lesson's text next to the lab."""


class LabSide(Vertical):
    """The task and goals of a lab and, where there is room, the lesson screen that embeds it."""

    DEFAULT_CSS = """
    LabSide { height: auto; }
    LabSide #lesson { display: none; height: auto; max-height: 60%; }
    """

    def __init__(self, task: LabTask, page: Screen | None) -> None:
        super().__init__()
        self._wanted, self._page = task, page

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="lesson", classes="panel", can_focus=False) as lesson:
            lesson.border_title = Content(safe(self._page.title) if self._page else "")
            yield Prose()
        task = self._wanted.add_class("panel")
        task.border_title = Content(_("Task and goals"))
        yield task

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        event.stop()
        cast("LabHost", self.screen).follow(event.href)

    async def fit(self, size: Size) -> None:
        """Show the lesson's text if the app's screen is large enough."""
        page, reading = self._page, size.width >= _WIDTH and size.height >= _HEIGHT
        if page is not None and reading != self.has_class("-reading"):
            self.set_class(reading, "-reading")
            if reading:
                await self.query_one(Prose).show(page.body)
