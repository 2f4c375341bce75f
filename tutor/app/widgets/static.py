"""A `Static` whose height follows its text in every case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import widgets

if TYPE_CHECKING:
    from textual.visual import VisualType


class Static(widgets.Static):  # noqa: TID251
    """A text that is laid out again whenever it changes.

    Textual's own `Static` can keep its old height if the screen has just scrolled: `refresh`
    counts the change, then measures the widget with the cached height, and stores that measure
    for the new count (Textual 8.2).
    """

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show other content, and lay it out unless `layout` is False."""
        self.clear_cached_dimensions()
        super().update(content, layout=layout)
