"""Draw progress as a bar of fixed width. The caller shows a number next to it."""

from __future__ import annotations

from textual.content import Content

from tutor.app.theme import MUTED, RIGHT, RULE


def meter(fraction: float, width: int) -> Content:
    """Draw `fraction` (0 to 1) of `width` columns. The bar is full only at 1.

    It is a thin line, so that the bars of the rows below each other do not touch.
    """
    filled = int(max(0.0, min(1.0, fraction)) * width)
    style = RIGHT if filled == width else MUTED
    return Content.assemble(("━" * filled, style), ("─" * (width - filled), RULE))
