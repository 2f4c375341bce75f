"""A line of tabs that names a lab's views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.labs.kit.columns import pointer
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable


def tabs(parts: Iterable[tuple[str, bool]]) -> Content:
    """Return a line of tabs.

    Each tab has the name of a view and a flag, which is True for the current view. The current view
    has a mark and is bold, so it is visible without color.
    """
    pieces: list[tuple[str, str]] = []
    for name, shown in parts:
        pieces.append(pointer(shown))
        pieces.append((_(name), "bold" if shown else MUTED))
        pieces.append(("  ", ""))
    return Content.assemble(*pieces)
