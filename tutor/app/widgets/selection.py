"""Draw the selected row of a list or table with a mark, and a background over the full width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.theme import ACT, SELECTED

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
    """If `line` begins with `mark(True)`, return it with a background over `width` columns."""
    spans = line.spans
    if not spans or spans[0].start != 0 or spans[0].style != _MARK_STYLE:
        return line
    return selected(line, width)


def selected(line: Content, width: int) -> Content:
    """Return `line` with the background of a selected row over `width` columns."""
    return line.pad_right(max(0, width - line.cell_length)).stylize_before(SELECTED)
