"""A layout with two columns for wide terminals: the text on the left, the table on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Offset, Size
from textual.layout import WidgetPlacement
from textual.layouts.vertical import VerticalLayout

if TYPE_CHECKING:
    from collections.abc import Collection

    from textual.layout import ArrangeResult
    from textual.widget import Widget

WIDE = 118
"""The minimum width of the pane, in columns, to show its widgets in two columns."""
GAP = 2
_TABLE = 70
"""The minimum width of the table, in cells, for its most important columns."""


def column_widths(width: int) -> tuple[int, int]:
    """Return the widths of the left and right columns."""
    right = max(_TABLE, width * 3 // 5)
    return width - right - GAP, right


class SideBySide(VerticalLayout):
    """A vertical layout that has two columns while `apart` is true.

    The widgets with an id in `right` are in the right column, and those with an id in `below` are
    below both columns. All others are in the left column.
    """

    name = "side-by-side"

    def __init__(self, right: Collection[str], below: Collection[str]) -> None:
        self._right = right
        self._below = below
        self.apart = False

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        if not self.apart:
            return super().arrange(parent, children, size, greedy)

        def column(widgets: list[Widget], width: int, height: int) -> list[WidgetPlacement]:
            placed = super(SideBySide, self).arrange(parent, widgets, Size(width, height), greedy)
            return list(placed)

        right = [each for each in children if each.id in self._right]
        below = [each for each in children if each.id in self._below]
        rest = [each for each in children if each not in right and each not in below]
        bottom = column(below, size.width, size.height)
        used = WidgetPlacement.get_bounds(bottom).bottom if bottom else 0
        height = max(0, size.height - used)
        left_width, right_width = column_widths(size.width)
        return [
            *column(rest, left_width, height),
            *WidgetPlacement.translate(
                column(right, right_width, height), Offset(left_width + GAP, 0)
            ),
            *WidgetPlacement.translate(bottom, Offset(0, height)),
        ]
