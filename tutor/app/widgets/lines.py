"""A widget that shows prepared lines, and draws and sends only the lines that changed.

A step of the model changes a few rows of the screen. Over SSH, only those rows should be sent, and
no key press should wait for unchanged rows.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from tutor.app.widgets.announced import row_said
from tutor.app.widgets.copyable import row_copy
from tutor.app.widgets.selection import MARK, highlighted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.geometry import Size

    from tutor.app.widgets.copyable import Copy


def centered(at: int, count: int, room: int) -> int:
    """Return the index of the first visible line, with line `at` in the middle.

    `count` is the number of all lines, and `room` the number of visible lines.
    """
    return min(max(0, at - room // 2), max(0, count - room))


def paint_together(widgets: Iterable[Widget]) -> None:
    """Paint the changes of these widgets at the same time.

    Without this, each widget reports its changes when it is idle, and the screen could be painted
    when some have reported and others have not. A report is also a message, and a painting may come
    between two messages. So all widgets are marked before that.
    """
    for widget in widgets:
        if widget._repaint_required and widget.display:
            widget.screen._dirty_widgets.add(widget)
        widget._check_refresh()


class Lines(Widget):
    """A widget with one `Content` per line, cut at the right edge.

    The selected row, which begins with `selection.mark(True)`, is highlighted over its full width.

    Build contents from parts, never from markup, so that no text is treated as markup.
    """

    DEFAULT_CSS = """
    Lines { height: auto; width: 1fr; text-wrap: nowrap; text-overflow: clip; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Content] = []
        self._strips: list[Strip | None] = []
        """Each line as drawn, or None if it has not been drawn yet."""
        self._drawn_for: object = None
        self._draw: Callable[[], None] | None = None

    def draw_with(self, draw: Callable[[], None]) -> None:
        """Call `draw` now, if the size is known, and again whenever the size changes."""
        self._draw = draw
        if self.size.width:
            draw()

    def on_resize(self) -> None:
        if self._draw is not None:
            self._draw()

    def show(self, lines: Sequence[Content]) -> None:
        """Show these lines."""
        new = list(lines)
        old, self._lines = self._lines, new
        if len(old) != len(new):
            self._strips = [None] * len(new)
            self.refresh(layout=True)
            return
        changed = []
        for y, (before, after) in enumerate(zip_longest(old, new)):
            if before is not after and not before.is_same(after):
                self._strips[y] = None
                changed.append(Region(0, y, self.size.width, 1))
        if changed:
            self.refresh(*changed)

    @property
    def plain(self) -> list[str]:
        """The text of the lines, without styles."""
        return [line.plain for line in self._lines]

    @property
    def selected(self) -> int | None:
        """The line of the selected row, or None if no row is selected."""
        rows = (y for y, line in enumerate(self._lines) if highlighted(line, 0) is not line)
        return next(rows, None)

    def copies(self) -> Iterable[Copy]:
        """Yield the selected row, if there is one."""
        for line in self._lines:
            if highlighted(line, 0) is not line:
                yield row_copy(line.plain.removeprefix(MARK))

    def announcement(self) -> str | None:
        """Return a sentence about the selected row, counted among the lines with text."""
        at = self.selected
        if at is None:
            return None
        rows = [y for y, line in enumerate(self._lines) if line.plain.strip()]
        return row_said(rows.index(at) + 1, len(rows), self._lines[at].plain)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines)

    def render_lines(self, crop: Region) -> list[Strip]:
        drawn_for = (self.size, self.visual_style, self.app.theme)
        if drawn_for != self._drawn_for:
            self._drawn_for = drawn_for
            self._strips = [None] * len(self._lines)
        self._dirty_regions.clear()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.visual_style.rich_style)
        strip = self._strips[y]
        if strip is None:
            width = self.size.width
            line = highlighted(self._lines[y], width)
            (strip,) = Visual.to_strips(self, line, width, 1, self.visual_style)
            self._strips[y] = strip
        return strip

    def render(self) -> Content:
        return Content("\n").join(self._lines)
