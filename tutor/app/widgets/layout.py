"""Lay out text with a hanging indent, or with a remark next to it, below it or at the end."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from textual.content import Content

from tutor.app.theme import MUTED

_GAP = 2
_LEAST_REMARK = 24


def hanging(head: Content, text: Content, width: int) -> Content:
    """Draw `text` after `head`. All lines after the first are indented to align with it."""
    indent = head.cell_length
    lines = text.wrap(max(1, width - indent))
    return Content("\n").join(
        (Content(" " * indent) if number else head) + line for number, line in enumerate(lines)
    )


def with_end(left: Content, right: Content, width: int) -> Content:
    """Draw a line with `right` at its right end. If `left` is too long, it is truncated."""
    room = max(1, width - right.cell_length)
    left = left.truncate(room, ellipsis=True)
    return left.pad_right(room - left.cell_length) + right


def first_that_fits(texts: Iterable[str], width: int, otherwise: str = "") -> str:
    """Return the first of `texts` that fits into `width` cells, or `otherwise` if none does."""
    return next((text for text in texts if cell_len(text) <= width), otherwise)


def with_first_that_fits(start: Content, ends: Iterable[str], width: int) -> Content:
    """Draw `start`, followed by the first of `ends` that fits on the same line."""
    return Content.assemble(start, (first_that_fits(ends, width - start.cell_length), MUTED))


def matched(
    left: Content, head: Content, right: Content, width: int, *, left_width: int
) -> Content:
    """Draw `head` and `right` in a column to the right of `left`, or indented below it.

    The column is used if `width` leaves enough room for it. `left_width` is the width of `left`
    with its padding.
    """
    if width - left_width - _GAP < _LEAST_REMARK:
        below = hanging(Content(" " * _GAP) + head, right, width)
        return Content("\n").join([hanging(Content(""), left, width), below])
    gap = Content(" " * (left_width - left.cell_length + _GAP))
    return hanging(left + gap + head, right, width)


def beside(
    head: Content,
    text: Content,
    remark: Content,
    width: int,
    *,
    text_width: int,
    least: int = _LEAST_REMARK,
) -> Content:
    """Draw `remark` in a column to the right of `head` and `text`, or below the text.

    The column is used if `width` leaves at least `least` columns for it. `text_width` is the width
    of the text with its padding.
    """
    if not remark.plain:
        return hanging(head, text, width)
    column = head.cell_length + text_width + _GAP
    if width - column < least:
        below = hanging(Content(" " * head.cell_length), remark, width)
        return Content("\n").join([hanging(head, text, width), below])
    gap = Content(" " * (text_width - text.cell_length + _GAP))
    return hanging(head + text + gap, remark, width)
