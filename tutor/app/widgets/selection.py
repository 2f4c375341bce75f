"""Draw the selected row of a list or table with a mark, and a background over the full width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.app.spoken import spoken
from tutor.app.theme import ACT, SELECTED
from tutor.language import _

if TYPE_CHECKING:
    from textual.content import Content

MARK = "›"
_MARK_STYLE = f"bold {ACT} {SELECTED}"


def mark(here: bool, sign: str = f"{MARK} ") -> tuple[str, str]:
    """Return the start of a row with its style: `sign` if the row is selected, or spaces.

    `highlighted` recognizes a selected row by this start.
    """
    return (sign, _MARK_STYLE) if here else (" " * len(sign), "")


def highlighted(line: Content, width: int) -> Content:
    """Return `line`, with a background over `width` columns if it begins with `mark(True)`."""
    spans = line.spans
    if not spans or spans[0].start != 0 or spans[0].style != _MARK_STYLE:
        return line
    return selected(line, width)


def selected(line: Content, width: int, *, reverse: bool = False) -> Content:
    """Return `line` with the background of a selected row over `width` columns.

    If `reverse` is true, swap foreground and background instead. This is for terminals that have no
    suitable background color.
    """
    line = line.pad_right(max(0, width - line.cell_length))
    return line.stylize("reverse") if reverse else line.stylize_before(SELECTED)


def row_said(number: int, count: int, line: str) -> str:
    """Return a sentence about a row, whose columns are separated by spaces in `line`."""
    cells = (spoken(cell) for cell in re.split(r"\s{2,}", line.strip().removeprefix(MARK)))
    text = ", ".join(filter(None, cells))
    return _("Row {number} of {count}: {text}").format(number=number, count=count, text=text)
