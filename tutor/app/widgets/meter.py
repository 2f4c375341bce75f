"""Draw progress as a bar of fixed width. The caller shows a number next to it."""

from __future__ import annotations

from textual.content import Content

from tutor.app.theme import MUTED


def meter(fraction: float, width: int) -> Content:
    """Draw `fraction` (0 to 1) of `width` columns. The bar is full only at 1."""
    filled = int(max(0.0, min(1.0, fraction)) * width)
    return Content.assemble(("█" * filled, MUTED), ("░" * (width - filled), "$rule"))
