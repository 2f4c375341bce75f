"""All labs, in the order of the course, with the goals reached in each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.containers import VerticalScroll
from textual.content import Content

from tutor.app.base_screen import CourseScreen
from tutor.app.theme import MUTED, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.menu import Menu, Row
from tutor.labs.kit import registry
from tutor.text import safe

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.labs.kit.registry import AnyLab

_TITLE = 26
_COUNT = 8


class LabsScreen(CourseScreen):
    """Opens a lab, also one whose lesson has not been read yet."""

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="labs", can_focus=False):
            yield Menu()

    def on_mount(self) -> None:
        self.place = "tutor · labs"
        self.query_one(Menu).focus(scroll_visible=False)

    def on_screen_resume(self) -> None:
        self.query_one(Menu).show([self._row(lab) for lab in registry.every()])

    @on(Menu.Chosen)
    def _chosen(self, event: Menu.Chosen) -> None:
        self.navigation.open_live_lab(registry.every()[event.index].name)

    def _row(self, lab: AnyLab) -> Row:
        outline = self.services.course.outline(lab.lesson)
        lesson = f"{outline.number}  {safe(outline.title)}" if outline else ""
        reached = self.services.goals.kept(lab)
        return partial(_row, lab.title, lesson, len(reached), len(lab.goals))


def _row(title: str, lesson: str, reached: int, goals: int, width: int) -> Content:
    """The title, how many of the goals are reached, and the lesson that the lab belongs to."""
    done = reached == goals
    count = f"{'✓ ' if done else ''}{reached} of {goals}"
    row = Content.assemble(
        figures.fit(title, min(_TITLE, max(8, width - _COUNT - 2))),
        "  ",
        (f"{count:>{_COUNT}}", RIGHT if done else MUTED),
        ("   " + lesson if width >= _TITLE + _COUNT + 20 else "", MUTED),
    )
    return row.truncate(width, ellipsis=True)
