"""Lays out a lab: the room that it has, tables that fit, and blocks beside each other."""

from __future__ import annotations

from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.lines import centered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDE = 120
"""Fewest columns at which a lab shows two things beside each other."""
ROOMY = 66
"""Fewest columns with room for words beside figures; 80 columns have it, 40 do not."""
LOW = 12
"""Fewest rows with room for explanations; with fewer, a lab leaves them out."""


class Room(NamedTuple):
    """The columns and rows that a view has. All labs use the same size thresholds."""

    width: int
    height: int

    @property
    def wide(self) -> bool:
        """Return whether two blocks fit beside each other."""
        return self.width >= WIDE

    @property
    def roomy(self) -> bool:
        """Return whether words fit beside figures."""
        return self.width >= ROOMY

    @property
    def low(self) -> bool:
        """Return whether there is no room for explanations."""
        return self.height < LOW


class Column(NamedTuple):
    """A column of a table: its heading, and its width in cells.

    If `right`, its text is right-aligned, as figures are.
    """

    heading: str
    width: int
    right: bool = False

    def cell(self, text: str) -> str:
        """Return `text` in exactly this width, cut and marked as cut if it is too long."""
        if self.right:
            return text.rjust(self.width)
        return figures.fit(text, self.width)


Cell = str | tuple[str, str]
"""Text, or text with its style."""


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Return as many of the columns as fit, from the left."""
    ends = accumulate(column.width for column in columns)
    return [column for column, end in zip(columns, ends, strict=True) if end <= width]


def heading(columns: Sequence[Column]) -> Content:
    """Return the line of headings, indented like `row`."""
    return Content.styled("  " + "".join(each.cell(each.heading) for each in columns), MUTED)


def row(columns: Sequence[Column], cells: Sequence[Cell], *, here: bool = False) -> Content:
    """Return one line of a table.

    If the row is in focus (`here`), it gets a mark, so that color alone does not have to show it.
    A cell after the last column (a bar, a note) is appended unchanged.
    """
    parts: list[Cell] = [cursor(here)]
    for column, cell in zip_longest(columns, cells):
        text, style = cell if isinstance(cell, tuple) else (cell, "")
        parts.append((column.cell(text) if column else text, style))
    return Content.assemble(*parts)


def cursor(here: bool) -> tuple[str, str]:
    """Return the mark in front of a row or a name: `›` for the one in focus."""
    return ("› " if here else "  ", f"{ACT} bold")


def beside(left: Sequence[Content], right: Sequence[Content], column: int) -> list[Content]:
    """Put two blocks beside each other, `right` from `column` on. `left` must end before it."""
    empty = Content("")
    return [
        Content.assemble(one, " " * max(0, column - one.cell_length), other)
        for one, other in zip_longest(left, right, fillvalue=empty)
    ]


def clipped(text: str, width: int) -> str:
    """Return `text`, cut and marked as cut if it is longer than `width`."""
    return figures.fit(text, width).rstrip()


def wrapped(text: Content, width: int) -> list[Content]:
    """Return the lines of `text` wrapped at this width, without the spaces at the line breaks."""
    return [line.rstrip() for line in text.wrap(max(1, width))]


def as_many_as_fit(groups: Iterable[Sequence[Cell]], width: int) -> list[Cell]:
    """Return the cells of as many groups as fit into `width` columns, from the first."""
    shown: list[Cell] = []
    for group in groups:
        width -= Content.assemble(*group).cell_length
        if width < 0:
            break
        shown += group
    return shown


def around(focus: int, count: int, room: int) -> range:
    """Return the `room` indexes around `focus`, of `count` in total.

    There are fewer if `count` is smaller, and at least one unless it is 0.
    """
    room = max(1, room)
    first = centered(focus, count, room)
    return range(first, min(count, first + room))
