"""Layout helpers for labs: tables that fit the available width, and side-by-side blocks."""

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
"""The minimum width, in columns, for two blocks side by side."""
ROOMY = 66
"""The minimum width, in columns, for text next to numbers. An 80-column screen meets it; a
40-column screen does not."""
LOW = 12
"""The minimum height, in rows, at which a lab shows explanations."""

_GAP = 2
"""The minimum gap between two blocks side by side, in columns."""


class Room(NamedTuple):
    """The size of a lab's view, in columns and rows, and what fits into it."""

    width: int
    height: int

    @property
    def wide(self) -> bool:
        """Return True if two blocks fit side by side."""
        return self.width >= WIDE

    @property
    def roomy(self) -> bool:
        """Return True if text fits next to numbers."""
        return self.width >= ROOMY

    @property
    def low(self) -> bool:
        """Return True if the view has too few rows for explanations."""
        return self.height < LOW


class Column(NamedTuple):
    """A column of a table: its heading, and its width in terminal cells.

    If `right` is True, the text is aligned to the right, as is usual for numbers.
    """

    heading: str
    width: int
    right: bool = False

    def cell(self, text: str) -> str:
        """Return `text`, padded or truncated to exactly the column's width.

        Truncated text ends in an ellipsis.
        """
        if self.right:
            return text.rjust(self.width)
        return figures.fit(text, self.width)


Cell = str | tuple[str, str]
"""The text of a table cell, or a pair of the text and its style."""


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Return the leftmost columns that fit into `width` cells."""
    ends = accumulate(column.width for column in columns)
    return [column for column, end in zip(columns, ends, strict=True) if end <= width]


def heading(columns: Sequence[Column]) -> Content:
    """Return the heading line of a table, indented like its rows."""
    return Content.styled("  " + "".join(each.cell(each.heading) for each in columns), MUTED)


def row(columns: Sequence[Column], cells: Sequence[Cell], *, here: bool = False) -> Content:
    """Return one row of a table.

    If `here` is True, the row has the focus and begins with a mark, so the focus is visible without
    color. `cells` can have more entries than `columns`; the extra entries, such as a bar or a note,
    follow the last column unpadded.
    """
    parts: list[Cell] = [cursor(here)]
    for column, cell in zip_longest(columns, cells):
        text, style = cell if isinstance(cell, tuple) else (cell, "")
        parts.append((column.cell(text) if column else text, style))
    return Content.assemble(*parts)


def cursor(here: bool) -> tuple[str, str]:
    """Return the mark at the beginning of a row: `›` if the row has the focus, otherwise spaces.

    A line that begins with `›` is highlighted over its full width.
    """
    return mark(here)


def pointer(here: bool) -> tuple[str, str]:
    """Return the mark before a name within a line: `›` if it has the focus, otherwise spaces."""
    return ("› " if here else "  ", f"{ACT} bold")


def beside(left: Sequence[Content], right: Sequence[Content], column: int) -> list[Content]:
    """Return the lines of two blocks side by side, with `right` starting at column `column`.

    All lines of `left` must be shorter than `column`. A line with the focus is highlighted over the
    width of its block.
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
    """Return `text`, truncated with an ellipsis if it is longer than `width`."""
    return figures.fit(text, width).rstrip()


def wrapped(text: Content, width: int) -> list[Content]:
    """Return `text` as a list of lines of at most `width` cells, without trailing spaces."""
    return [line.rstrip() for line in text.wrap(max(1, width))]


def as_many_as_fit(groups: Iterable[Sequence[Cell]], width: int) -> list[Cell]:
    """Return the cells of the leading groups that fit into `width` columns."""
    shown: list[Cell] = []
    for group in groups:
        width -= Content.assemble(*group).cell_length
        if width < 0:
            break
        shown += group
    return shown


def around(focus: int, count: int, room: int) -> range:
    """Return up to `room` consecutive indexes of a list of `count` items, centered on `focus`.

    Near the ends of the list, the range is not centered. It has at least one index unless the list
    is empty.
    """
    room = max(1, room)
    first = centered(focus, count, room)
    return range(first, min(count, first + room))
