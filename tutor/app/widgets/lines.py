"""A widget that shows lines, and redraws only those that have changed.

A step of the model changes only a few rows of the screen. Over SSH, only those rows should be sent.
Drawing the other rows would also delay the response to key presses.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual
from textual.widget import Widget

from tutor.app.spoken import spoken
from tutor.app.widgets import clicks
from tutor.app.widgets.copyable import row_copy
from tutor.app.widgets.selection import MARK, highlighted, row_said
from tutor.app.widgets.static import forget_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.events import Click
    from textual.geometry import Size
    from textual.selection import Selection

    from tutor.app.widgets.copyable import Copy


def centered(at: int, count: int, room: int) -> int:
    """Return the index of the first line to show, so that line `at` is in the middle.

    `count` is the total number of lines, and `room` is the number of lines that fit.
    """
    return min(max(0, at - room // 2), max(0, count - room))


def paint_together(widgets: Iterable[Widget]) -> None:
    """Paint the changes of all these widgets at the same time.

    Normally, each widget reports its changes when it is idle, so the screen may be painted when
    only some of the widgets have reported. To prevent that, this function marks all changed widgets
    before the first report.
    """
    for widget in widgets:
        if widget._repaint_required and widget.display:
            widget.screen._dirty_widgets.add(widget)
        widget._check_refresh()


class Lines(Widget):
    """A widget with one `Content` for each line. Lines are cut at the right edge.

    If a line begins with `selection.mark(True)`, it is the selected row, and it is highlighted over
    the full width.

    Build each `Content` from parts instead of markup, so that brackets in a text are never
    interpreted.
    """

    DEFAULT_CSS = """
    Lines { height: auto; width: 1fr; text-wrap: nowrap; text-overflow: clip; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Content] = []
        self._given: Sequence[Content] = ()
        """The lines, including the moves of their parts (see `clicks`)."""
        self._strips: list[Strip | None] = []
        """The drawn form of each line, or None for a line that has yet to be drawn."""
        self._drawn_for: object = None
        self._draw: Callable[[], None] | None = None

    def draw_with(self, draw: Callable[[], None]) -> None:
        """Call `draw` each time the size changes, and also now if the size is known."""
        self._draw = draw
        if self.size.width:
            draw()

    def on_resize(self) -> None:
        if self._draw is not None:
            self._draw()

    def show(self, lines: Sequence[Content]) -> None:
        """Replace all lines."""
        self._given = lines
        new = list(map(clicks.drawn, lines))
        old, self._lines = self._lines, new
        if len(old) != len(new):
            self._strips = [None] * len(new)
            forget_size(self)
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
    def text(self) -> str:
        """The text of the lines as one string, without styles and without spaces at their ends."""
        return "\n".join(line.rstrip() for line in self.plain)

    @property
    def selected(self) -> int | None:
        """The index of the selected line, or None if no line is selected."""
        rows = (y for y, line in enumerate(self._lines) if highlighted(line, 0) is not line)
        return next(rows, None)

    def moves_at(self, x: int, y: int) -> clicks.Moves:
        """Return how a click on the cell in column `x` of line `y` moves the focus."""
        return clicks.moves_at(self._given, x, y)

    def copies(self) -> Iterable[Copy]:
        """Yield the selected row, if there is one."""
        if (at := self.selected) is not None:
            yield row_copy(self._lines[at].plain.removeprefix(MARK))

    def announcement(self) -> str | None:
        """Return a sentence about the selected row, with its number among the lines with text."""
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
            line = self._dragged_over(highlighted(self._lines[y], width), y)
            (strip,) = Visual.to_strips(
                self, line, width, 1, self.visual_style, apply_selection=False
            )
            # Textual treats each line as a separate text, so it would number every line 0.
            self._strips[y] = strip = strip.apply_offsets(0, y)
        return strip

    def _dragged_over(self, line: Content, y: int) -> Content:
        """Highlight the text in line `y` that is selected with the mouse, and return the line."""
        selection = self.text_selection
        span = None if selection is None else selection.get_span(y)
        if span is None:
            return line
        start, end = span
        style = Style.from_styles(self.screen.get_component_styles("screen--selection"))
        return line.stylize(style, start, len(line) if end == -1 else end)

    def selection_updated(self, selection: Selection | None) -> None:
        self._strips = [None] * len(self._lines)
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text that is selected with the mouse, and the separator after it."""
        first = 0 if selection.start is None else selection.start.y
        if first >= len(self._lines):  # the lines have changed since the selection
            return None
        return selection.extract("\n".join(self.plain)), "\n"

    def render(self) -> Content:
        return Content("\n").join(self._lines)


def first_said(every: Iterable[Lines]) -> str | None:
    """Return the first line that has text, in words for a screen reader, or None."""
    lines = (line for lines in every for line in lines.plain)
    return next((spoken(" ".join(line.split())) for line in lines if line.strip()), None)


async def follow_click(view: Widget, event: Click, move: Callable[[int, str], object]) -> None:
    """Focus the part of a map, show the tab or select the row that was clicked.

    `move` moves the focus of `view` along an axis. A row is selected by repeating the action of
    the arrow keys of `view`, and a tab is shown by repeating the action of Tab. Clicking a key's
    name does not trigger the key here, because what looks like a key name may be part of a token
    or of text from the model.
    """
    clicked = event.widget
    if not isinstance(clicked, Lines):
        return
    if moves := clicked.moves_at(event.x, event.y):
        for axis, by in moves:
            if axis == clicks.TABS:
                for _press in range(abs(by)):
                    await _act(view, "tab" if by > 0 else "shift+tab")
            else:
                move(by, axis)
        return
    if (at := clicked.selected) is None:
        return
    for _press in range(abs(event.y - at)):
        if not await _act(view, "down" if event.y > at else "up"):
            return
        before, at = at, clicked.selected
        if at is None or at == before or (at - event.y) * (before - event.y) <= 0:
            return


async def _act(view: Widget, key: str) -> bool:
    """Run the action that `view` binds to `key`. Return False if the key is not available there."""
    active = view.screen.active_bindings.get(key)
    if active is None or active.node is not view:
        return False
    await view.app.run_action(active.binding.action, view)
    return True
