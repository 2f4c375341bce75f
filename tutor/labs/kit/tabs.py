"""Draws the names of a lab's views as a line of tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.labs.kit.columns import pointer
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable


def tabs(parts: Iterable[tuple[str, bool]]) -> Content:
    """Return a line of tabs, given each view's name and whether that view is shown.

    The current view has a mark and bold text, so that it is visible without color.
    """
    pieces: list[tuple[str, str]] = []
    for name, shown in parts:
        pieces.append(pointer(shown))
        pieces.append((_(name), "bold" if shown else MUTED))
        pieces.append(("  ", ""))
    return Content.assemble(*pieces)
