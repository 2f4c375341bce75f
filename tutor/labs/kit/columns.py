"""Lays out a lab: how much room there is, tables that fit it, and blocks beside each other."""

from __future__ import annotations

from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDE = 120
"""Columns from which on a lab shows two things beside each other."""
ROOMY = 66
"""Fewest columns with room for words beside figures; 80 columns have it, 40 do not."""
LOW = 12
"""Fewest rows with room for explanations; with fewer, a lab leaves them out."""


class Room(NamedTuple):
    """The number of columns and rows that a view has. All labs use the same size thresholds."""

    width: int
    height: int

    @property
    def wide(self) -> bool:
        """Whether two blocks fit beside each other."""
        return self.width >= WIDE

    @property
    def roomy(self) -> bool:
        """Whether words fit beside figures."""
        return self.width >= ROOMY

    @property
    def low(self) -> bool:
        """Whether there is no room for explanations."""
        return self.height < LOW


class Column(NamedTuple):
    """A column of a table: its heading, its width in cells, and whether its text ends at the right
    edge, as figures do."""

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
    """Return one line of a table. `here` says that the row is in focus, which a mark shows and not
    color alone. Anything after the last column (a bar, a note) is appended as it is."""
    parts: list[Cell] = [cursor(here)]
    for column, cell in zip_longest(columns, cells):
        text, style = cell if isinstance(cell, tuple) else (cell, "")
        parts.append((column.cell(text) if column else text, style))
    return Content.assemble(*parts)


def cursor(here: bool) -> tuple[str, str]:
    """Return the mark in front of a row or a name: `›` for the one in focus."""
    return ("› " if here else "  ", f"{ACT} bold")


def beside(left: Sequence[Content], right: Sequence[Content], column: int) -> list[Content]:
    """Put two blocks beside each other. `right` begins at `column`, beyond which `left` must not
    reach."""
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
    """Return up to `room` of `count` places, at least one if there are any: the place in focus and
    those around it."""
    room = max(1, room)
    first = max(0, min(focus - room // 2, count - room))
    return range(first, min(count, first + room))
