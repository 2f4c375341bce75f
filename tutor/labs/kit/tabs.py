"""The parts of a lab, as one line: which there are, and which one is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.labs.kit.columns import cursor

if TYPE_CHECKING:
    from collections.abc import Iterable


def tabs(parts: Iterable[tuple[str, bool]]) -> Content:
    """Each part's name, and whether it is the one shown: a mark and weight tell it, not color."""
    pieces: list[tuple[str, str]] = []
    for name, shown in parts:
        pieces.append(cursor(shown))
        pieces.append((name, "bold" if shown else MUTED))
        pieces.append(("  ", ""))
    return Content.assemble(*pieces)
