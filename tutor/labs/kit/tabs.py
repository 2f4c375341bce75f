"""A tab bar with the names of a lab's views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets.clicks import TABS, focusing
from tutor.labs.kit.columns import pointer
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def tabs(parts: Iterable[tuple[str, bool]], width: int | None = None) -> Content:
    """Return a tab bar.

    `parts` are the names of the views, each with a flag, which is True for the current view. The
    current view has a mark and is bold, so it is visible without color. If not all tabs fit into
    `width` cells, the bar contains those around the current one, and an ellipsis for the others. A
    click on a tab shows its view.
    """
    named = list(parts)
    current = next((index for index, (__, shown) in enumerate(named) if shown), 0)
    every = [_tab(*each, by=index - current) for index, each in enumerate(named)]
    line = _line(every)
    if width is None or line.rstrip().cell_length <= width:
        return line
    first, end = current, current + 1
    more = ((0, 1), (1, 0)) * len(every)
    for back, forward in more:
        wider = max(0, first - back), min(len(every), end + forward)
        if _window(every, *wider).cell_length <= width:
            first, end = wider
    return _window(every, first, end)


def _window(parts: Sequence[Content], first: int, end: int) -> Content:
    before = ("… ", MUTED) if first else ""
    after = ("…", MUTED) if end < len(parts) else ""
    return Content.assemble(before, _line(parts[first:end]), after).rstrip()


def _line(parts: Iterable[Content]) -> Content:
    return Content("").join(parts)


def _tab(name: str, shown: bool, *, by: int) -> Content:
    """Return a tab that is `by` presses of Tab away from the current one."""
    tab = Content.assemble(pointer(shown), (_(name), "bold" if shown else MUTED), "  ")
    return focusing(tab, **{TABS: by})
