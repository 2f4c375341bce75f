"""The list of all labs, in the order of the course, with the number of goals reached."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content

from tutor.app.course_screen import Entry, MenuScreen
from tutor.app.theme import MUTED, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.menu import Menu
from tutor.labs.kit import registry
from tutor.text import safe

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.labs.kit.registry import AnyLab

_TITLE = 30
_COUNT = 8


class LabsScreen(MenuScreen):
    """Lists the labs and opens any of them, even if its lesson has not been read."""

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="labs", can_focus=False):
            yield Menu()

    def on_mount(self) -> None:
        self.place = "tutor · labs"

    def fill(self) -> None:
        self.show_entries([self._entry(lab) for lab in registry.every()])

    def _entry(self, lab: AnyLab) -> Entry:
        outline = self.services.course.outline(lab.lesson)
        lesson = f"{outline.number}  {safe(outline.title)}" if outline else ""
        reached = self.services.goals.kept(lab)
        row = partial(_row, lab.title, lesson, len(reached), len(lab.goals))
        return row, partial(self.navigation.open_live_lab, lab.name)


def _row(title: str, lesson: str, reached: int, goals: int, width: int) -> Content:
    """Return the line for a lab, with its title, the number of goals reached, and its lesson."""
    done = reached == goals
    count = f"{'✓ ' if done else ''}{reached} of {goals}"
    row = Content.assemble(
        figures.fit(title, min(_TITLE, max(8, width - _COUNT - 2))),
        "  ",
        (f"{count:>{_COUNT}}", RIGHT if done else MUTED),
        ("   " + lesson if width >= _TITLE + _COUNT + 20 else "", MUTED),
    )
    return row.truncate(width, ellipsis=True)
