"""A `Static` whose height follows its text in every case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import widgets

if TYPE_CHECKING:
    from textual.visual import VisualType
    from textual.widget import Widget


def forget_size(widget: Widget) -> None:
    """Make Textual measure a widget again at the next layout. Call this before its `refresh`.

    Textual keeps a measure until `refresh` counts another layout, and it counts none while one is
    pending. If the widget is measured in between, it keeps that height (Textual 8.2).
    """
    widget.clear_cached_dimensions()
    widget._box_model_cache.clear()


class Static(widgets.Static):  # noqa: TID251
    """A text that is laid out again whenever it changes.

    Textual's own `Static` can keep its old height if the screen has just scrolled: `refresh`
    counts the change, then measures the widget with the cached height, and stores that measure
    for the new count (Textual 8.2).
    """

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show other content, and lay it out unless `layout` is False."""
        forget_size(self)
        super().update(content, layout=layout)
