"""How far something has got, as a bar of fixed width; the caller puts a figure beside it."""

from __future__ import annotations

from textual.content import Content

from tutor.app.theme import MUTED


def meter(fraction: float, width: int) -> Content:
    """`fraction` (0 to 1) of `width` columns, full only when it is all of it."""
    filled = int(max(0.0, min(1.0, fraction)) * width)
    return Content.assemble(("█" * filled, MUTED), ("░" * (width - filled), "$rule"))
