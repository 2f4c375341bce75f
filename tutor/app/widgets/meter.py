"""Draw progress as a bar of fixed width. The number next to it is drawn by the caller."""

from __future__ import annotations

from textual.content import Content

from tutor.app.theme import MUTED, RIGHT, RULE


def meter(fraction: float, width: int) -> Content:
    """Draw a bar that fills `fraction` (0 to 1) of `width` columns. It is full only at 1.

    The bar is a thin line, so that bars in adjacent rows do not touch.
    """
    filled = int(max(0.0, min(1.0, fraction)) * width)
    style = RIGHT if filled == width else MUTED
    return Content.assemble(("━" * filled, style), ("─" * (width - filled), RULE))
