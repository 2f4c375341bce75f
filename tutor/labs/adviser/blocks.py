"""Blocks of lines: wrapped, hung, and as many as fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.widgets import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.content import Content


def hanging(head: Content, text: Content, width: int) -> list[Content]:
    """`head` and `text` after it, all lines of which begin in the same column."""
    return [line.rstrip() for line in layout.hanging(head, text, width).split("\n")]


def fitting(blocks: Sequence[list[Content]], room: int) -> Iterator[list[Content]]:
    """Each block, the most important first, or nothing where it no longer fits."""
    for block in blocks:
        fits = len(block) <= room
        room -= len(block) if fits else 0
        yield block if fits else []
