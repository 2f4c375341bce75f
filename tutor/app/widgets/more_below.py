"""Lines below a scrolling container, which say how much of its text is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import HorizontalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tutor.app.theme import ACT
from tutor.app.widgets.clicks import press_key
from tutor.language import _
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.events import Click
    from textual.screen import Screen


class ScrollLine(Widget):
    """A line below a scrolling container, which is updated when the container changes.

    The key line depends on this line, and not on the sizes of the container: while the terminal is
    being resized, those can be the sizes of an unfinished layout.
    """

    def follow(self, scrolled: Widget, position: str) -> None:
        """Call `count` when the attribute `position` of the container, or its content, changes."""
        self.watch(scrolled, position, self.count)
        self.watch(scrolled, "virtual_size", self._later)
        self.screen.screen_layout_refresh_signal.subscribe(self, self._laid_out)

    def _laid_out(self, _screen: Screen[Any]) -> None:
        self.count()

    def _later(self) -> None:
        self.call_after_refresh(self.count)

    def count(self) -> None:
        """Update the line. Every subclass overrides this method."""
        raise NotImplementedError


class MoreBelow(ScrollLine):
    """A line that is shown if the text of a container does not fit into it.

    It is below the container and never covers text. It stays visible at the end of the text, so
    that nothing else moves. A click on its left part pages down, and a click on its right part
    pages up.
    """

    DEFAULT_CSS = "MoreBelow { height: 1; width: 1fr; display: none; }"
    SHARES_ROOM: ClassVar[bool] = True
    """Whether the container is one line taller while this line is not displayed."""
    PRESSED: ClassVar[tuple[str, str]] = ("pagedown", "pageup")
    """The keys that a click presses, for the text below and the text above."""

    hidden: reactive[int] = reactive(0)
    """The number of hidden lines below the visible lines."""
    above: reactive[int] = reactive(0)
    """The number of hidden lines above the visible lines."""
    scrolls: reactive[bool] = reactive(False)
    """True if the text does not fit into the container."""

    def __init__(self, scrolled: str) -> None:
        """Create the line for the container that matches the selector `scrolled`."""
        super().__init__()
        self._selector = scrolled

    def on_mount(self) -> None:
        self._scrolled = self.screen.query_one(self._selector)
        self.follow(self._scrolled, "scroll_y")

    def count(self) -> None:
        """Update the number of hidden lines."""
        scrolled = self._scrolled
        room = scrolled.container_size.height + (self.SHARES_ROOM and self.display)
        self.display = scrolled.virtual_size.height > room > 1
        hidden = max(0, round(scrolled.max_scroll_y - scrolled.scroll_y))
        self.hidden = hidden if self.display else 0
        self.above = round(scrolled.scroll_y) if self.display else 0
        self.scrolls = scrolled.max_scroll_y > 0
        self.refresh()  # the key for paging can change with the focus

    def watch_hidden(self) -> None:
        self.screen.refresh_bindings()  # Enter pages down as long as text is hidden

    def watch_scrolls(self) -> None:
        self.screen.refresh_bindings()  # the arrow keys scroll

    def on_click(self, event: Click) -> None:
        below, above = self._parts()
        if event.x < below.cell_length:
            press_key(self, self.PRESSED[0])
        elif event.x >= self.size.width - above.cell_length:
            press_key(self, self.PRESSED[1])

    def render(self) -> Content:
        below, above = self._parts()
        gap = max(0, self.size.width - below.cell_length - above.cell_length)
        return Content.assemble(below, " " * gap, above)

    def _parts(self) -> tuple[Content, Content]:
        """Return the left part, about the text below, and the right part, about the text above."""
        below = self._below()
        room = self.size.width - below.cell_length - 2
        return below, next(
            (each for each in self._above() if each.cell_length <= room), Content("")
        )

    def _below(self) -> Content:
        if not self.hidden:
            return Content("")
        said = _("{lines} below").format(lines=counted(self.hidden, "more line"))
        return _hidden("▼", said, self._below_key())

    def _below_key(self) -> str:
        """Return the name of the key that pages down."""
        space = self.screen.active_bindings.get("space")
        return "space" if space and space.binding.action == "page(1)" else "pgdn"

    def _above_key(self) -> str:
        """Return the name of the key that pages up."""
        return "pgup"

    def _above(self) -> Iterator[Content]:
        """Yield the right part at several lengths, from the longest to the shortest."""
        if self.above:
            said, key = _("{lines} above"), self._above_key()
            yield _hidden("▲", said.format(lines=counted(self.above, "line")), key)
            yield _hidden("▲", str(self.above), key)
            yield _hidden("▲", str(self.above))


def _hidden(mark: str, said: str, key: str = "") -> Content:
    line = Content.assemble((f"{mark} ", f"bold {ACT}"), said)
    return line + Content.assemble("  ", (key, f"bold {ACT}")) if key else line


class WideLines(HorizontalScroll):
    """A block of lines that cannot wrap, such as a drawing. `<` and `>` scroll it sideways."""

    DEFAULT_CSS = """
    WideLines { width: 1fr; height: auto; scrollbar-size-horizontal: 0; }
    """

    def __init__(self, *children: Widget) -> None:
        super().__init__(*children, can_focus=False)

    @property
    def cut(self) -> bool:
        """True if some of the lines are hidden."""
        return self.max_scroll_x > 0

    def pan(self, direction: int) -> None:
        """Scroll by half the width, to the left (-1) or to the right (1)."""
        self.scroll_relative(x=direction * max(1, self.size.width // 2), animate=False)


class MoreBeside(ScrollLine):
    """A line that says how many columns of the block above it are hidden, if there are any."""

    DEFAULT_CSS = "MoreBeside { height: 1; width: 1fr; display: none; }"

    def __init__(self, lines: WideLines) -> None:
        super().__init__()
        self._lines = lines

    def on_mount(self) -> None:
        self.follow(self._lines, "scroll_x")

    def count(self) -> None:
        """Show or hide the line, and draw it again."""
        if self.display != self._lines.cut:
            self.display = self._lines.cut
            self.screen.refresh_bindings()
        self.refresh()

    def on_click(self, event: Click) -> None:
        """Scroll to the side that was clicked or, if nothing is hidden there, to the other side."""
        if not self._lines.scroll_x:
            self._lines.pan(1)
        elif event.x < self.render().cell_length // 2 or self._lines.scroll_x >= (
            self._lines.max_scroll_x
        ):
            self._lines.pan(-1)
        else:
            self._lines.pan(1)

    def render(self) -> Content:
        before = round(self._lines.scroll_x)
        after = round(self._lines.max_scroll_x) - before
        sides = [("◀", "<", before, _("{columns} to the left"))] if before else []
        if after > 0:
            sides.append(("▶", ">", after, _("{columns} to the right")))
        long = [
            _hidden(mark, said.format(columns=counted(count, "column")), key)
            for mark, key, count, said in sides
        ]
        line = Content("   ").join(long)
        if line.cell_length <= self.size.width:
            return line
        return Content("   ").join(_hidden(mark, str(n), key) for mark, key, n, _said in sides)
