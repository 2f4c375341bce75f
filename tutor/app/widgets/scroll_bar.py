"""Draw scroll bars in whole cells."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBarRender


class WholeCells(ScrollBarRender):
    """A scroll bar without partial blocks at its ends.

    Where a terminal draws few colors, nothing connects such a block with the bar, and it looks like
    a stray character of the text.
    """

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]
