"""Lay out a few lines: hanging indents, and remarks next to a text or below it."""

from __future__ import annotations

from textual.content import Content

_GAP = 2
_LEAST_REMARK = 24


def hanging(head: Content, text: Content, width: int) -> Content:
    """Put `text` after `head`, and indent its other lines to align with its first."""
    indent = head.cell_length
    lines = text.wrap(max(1, width - indent))
    return Content("\n").join(
        (Content(" " * indent) if number else head) + line for number, line in enumerate(lines)
    )


def matched(
    left: Content, head: Content, right: Content, width: int, *, left_width: int
) -> Content:
    """Put `head` and `right` in a separate column, or indented below `left`.

    They get a separate column if `left_width` columns leave enough room for it.
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
    """Put `remark` in a separate column next to `head` and `text`, or below the text.

    It gets a separate column if `text_width` columns of text leave at least `least` columns for it.
    """
    if not remark.plain:
        return hanging(head, text, width)
    column = head.cell_length + text_width + _GAP
    if width - column < least:
        below = hanging(Content(" " * head.cell_length), remark, width)
        return Content("\n").join([hanging(head, text, width), below])
    gap = Content(" " * (text_width - text.cell_length + _GAP))
    return hanging(head + text + gap, remark, width)
