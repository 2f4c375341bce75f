"""A list of a lesson's screens, which a wide screen shows at the side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message

from tutor.app.theme import ACT, MUTED
from tutor.app.widgets.selection import MARK
from tutor.app.widgets.static import Static
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Set
    from typing import Protocol

    from textual.events import Click

    class Titled(Protocol):
        """A screen of a lesson, with or without its content."""

        @property
        def id(self) -> str: ...
        @property
        def title(self) -> str: ...


class ScreenList(Static):
    """A list of screens, drawn by `screen_list` with one line for each screen."""

    @dataclass
    class Chosen(Message):
        """Posted when the learner clicks the line at `index`."""

        index: int

    def on_click(self, event: Click) -> None:
        at = event.get_content_offset(self)
        if at is not None and at.y < self.content_size.height:
            self.post_message(self.Chosen(at.y))


def screen_list(screens: Iterable[Titled], here: str, seen: Set[str], width: int) -> Content:
    """Draw a line for each screen.

    A mark shows the current screen, and ticks show the screens that the learner has seen.
    """
    lines = []
    for screen in screens:
        mark, style = (MARK, f"bold {ACT}") if screen.id == here else ("✓", MUTED)
        if screen.id not in seen and screen.id != here:
            mark = " "
        title_style = "bold" if screen.id == here else MUTED if screen.id in seen else ""
        line = Content.assemble((mark, style), " ", (safe(screen.title), title_style))
        lines.append(line.truncate(width, ellipsis=True))
    return Content("\n").join(lines)
