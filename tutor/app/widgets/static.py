"""A `Static` whose height always fits its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import widgets

if TYPE_CHECKING:
    from textual.visual import VisualType
    from textual.widget import Widget


def forget_size(widget: Widget) -> None:
    """Make Textual measure a widget again at the next layout. Call this before its `refresh`.

    Textual 8.2 caches the size of a widget until `refresh` requests another layout, but `refresh`
    requests none while a layout is pending. A widget that is measured in between would keep the
    height from that measurement.
    """
    widget.clear_cached_dimensions()
    widget._box_model_cache.clear()


class Static(widgets.Static):  # noqa: TID251
    """A widget with a text, which is laid out again whenever the text changes.

    Textual's own `Static` can keep its old height if the screen has just scrolled. In Textual 8.2,
    `refresh` increments a layout counter before it clears the cached height. If the widget is
    measured in between, the old height is cached for the new value of the counter.
    """

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show `content`, and lay it out unless `layout` is False."""
        forget_size(self)
        super().update(content, layout=layout)
