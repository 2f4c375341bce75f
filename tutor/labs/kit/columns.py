"""What fits: two blocks beside each other on a wide screen, some of many rows on a low one."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from textual.content import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDE = 120
"""Columns from which on a lab shows two things beside each other."""


def beside(left: Sequence[Content], right: Sequence[Content], column: int) -> list[Content]:
    """`right` begins at `column`, beyond which `left` must not reach."""
    empty = Content("")
    return [
        Content.assemble(one, " " * max(0, column - one.cell_length), other)
        for one, other in zip_longest(left, right, fillvalue=empty)
    ]


def window(focus: int, count: int, room: int) -> range:
    """`room` of `count` rows, the one in focus among them."""
    first = max(0, min(focus - room // 2, count - room))
    return range(first, min(count, first + max(1, room)))
