"""A list of a lesson's screens, which a wide screen shows at the side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.app.widgets.selection import MARK
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Set
    from typing import Protocol

    class Titled(Protocol):
        """A screen of a lesson, with or without its content."""

        @property
        def id(self) -> str: ...
        @property
        def title(self) -> str: ...


def screen_list(screens: Iterable[Titled], here: str, seen: Set[str], width: int) -> Content:
    """Draw a line for each screen.

    A mark shows the current screen, and a tick shows seen screens.
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
