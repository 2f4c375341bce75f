"""A scroll bar that consists of whole cells."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBarRender


class WholeCells(ScrollBarRender):
    """A scroll bar without partial blocks at its ends.

    On a terminal with few colors, a partial block does not look connected to the bar. It looks
    like a stray character in the text.
    """

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]
