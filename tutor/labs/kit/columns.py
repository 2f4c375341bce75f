"""Lays out a lab: fits tables into the available space, and puts blocks side by side."""

from __future__ import annotations

from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.lines import centered
from tutor.app.widgets.selection import highlighted, mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDE = 120
"""The minimum number of columns at which a lab shows two blocks side by side."""
ROOMY = 66
"""The minimum number of columns with room for text next to numbers: 80 columns are enough, 40 are
not."""
LOW = 12
"""The minimum number of rows with room for explanations. With fewer rows, labs leave them out."""

_GAP = 2
"""The least number of columns between two blocks side by side."""


class Room(NamedTuple):
    """The size of a view in columns and rows. All labs use the same size thresholds."""

    width: int
    height: int

    @property
    def wide(self) -> bool:
        """Return whether two blocks fit side by side."""
        return self.width >= WIDE

    @property
    def roomy(self) -> bool:
        """Return whether text fits next to numbers."""
        return self.width >= ROOMY

    @property
    def low(self) -> bool:
        """Return whether there is no room for explanations."""
        return self.height < LOW


class Column(NamedTuple):
    """A column of a table, with its heading and its width in cells.

    If `right`, the text is right-aligned, as numbers should be.
    """

    heading: str
    width: int
    right: bool = False

    def cell(self, text: str) -> str:
        """Return `text` in exactly this width, cut with an ellipsis if it is too long."""
        if self.right:
            return text.rjust(self.width)
        return figures.fit(text, self.width)


Cell = str | tuple[str, str]
"""Text, or text with its style."""


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Return as many of the columns as fit, starting from the left."""
    ends = accumulate(column.width for column in columns)
    return [column for column, end in zip(columns, ends, strict=True) if end <= width]


def heading(columns: Sequence[Column]) -> Content:
    """Return the heading line of a table, indented like its rows."""
    return Content.styled("  " + "".join(each.cell(each.heading) for each in columns), MUTED)


def row(columns: Sequence[Column], cells: Sequence[Cell], *, here: bool = False) -> Content:
    """Return one line of a table.

    If the row is in focus (`here`), the line begins with a mark, so that the focus is visible
    without color. Cells after the last column (a bar, a note) are appended unchanged.
    """
    parts: list[Cell] = [cursor(here)]
    for column, cell in zip_longest(columns, cells):
        text, style = cell if isinstance(cell, tuple) else (cell, "")
        parts.append((column.cell(text) if column else text, style))
    return Content.assemble(*parts)


def cursor(here: bool) -> tuple[str, str]:
    """Return the first cell of a row: `›` if the row is in focus, else spaces.

    A line that begins with `›` is highlighted over its full width.
    """
    return mark(here)


def pointer(here: bool) -> tuple[str, str]:
    """Return the mark before a name within a line: `›` if it is in focus, else spaces."""
    return ("› " if here else "  ", f"{ACT} bold")


def beside(left: Sequence[Content], right: Sequence[Content], column: int) -> list[Content]:
    """Put two blocks side by side, with `right` starting at `column`.

    All lines of `left` must be shorter than `column`. In each block, the row in focus is
    highlighted over the width of the block.
    """
    empty = Content("")
    widest = max((line.cell_length for line in right), default=0)
    left = [highlighted(line, column - _GAP) for line in left]
    right = [highlighted(line, widest) for line in right]
    return [
        Content.assemble(one, " " * max(0, column - one.cell_length), other)
        for one, other in zip_longest(left, right, fillvalue=empty)
    ]


def clipped(text: str, width: int) -> str:
    """Return `text`, cut with an ellipsis if it is longer than `width`."""
    return figures.fit(text, width).rstrip()


def wrapped(text: Content, width: int) -> list[Content]:
    """Return `text` wrapped at this width as a list of lines, without trailing spaces."""
    return [line.rstrip() for line in text.wrap(max(1, width))]


def as_many_as_fit(groups: Iterable[Sequence[Cell]], width: int) -> list[Cell]:
    """Return the cells of the first groups, as many as fit into `width` columns."""
    shown: list[Cell] = []
    for group in groups:
        width -= Content.assemble(*group).cell_length
        if width < 0:
            break
        shown += group
    return shown


def around(focus: int, count: int, room: int) -> range:
    """Return up to `room` indexes around `focus`, from a list of `count` items.

    Returns at least one index unless `count` is 0.
    """
    room = max(1, room)
    first = centered(focus, count, room)
    return range(first, min(count, first + room))
