"""A line below a scrolling container, which says how many more lines there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tutor.app.theme import ACT
from tutor.language import _
from tutor.text import counted

if TYPE_CHECKING:
    from textual.screen import Screen


class MoreBelow(Widget):
    """A line that is shown if the text of a container does not fit into it.

    It is below the container and never covers text. At the end of the text, the line becomes blank
    but does not disappear, so that nothing else moves.
    """

    DEFAULT_CSS = "MoreBelow { height: 1; width: 1fr; display: none; }"

    hidden: reactive[int] = reactive(0)
    """The number of hidden lines below the visible ones."""

    def __init__(self, scrolled: str) -> None:
        """Create the line for the container that matches the selector `scrolled`."""
        super().__init__()
        self._selector = scrolled

    def on_mount(self) -> None:
        self._scrolled = self.screen.query_one(self._selector)
        self.watch(self._scrolled, "scroll_y", self.count)
        self.watch(self._scrolled, "virtual_size", self._later)
        self.screen.screen_layout_refresh_signal.subscribe(self, self._laid_out)

    def _laid_out(self, _screen: Screen[Any]) -> None:
        self.count()

    def _later(self) -> None:
        self.call_after_refresh(self.count)

    def count(self) -> None:
        """Update the number of hidden lines."""
        scrolled = self._scrolled
        room = scrolled.container_size.height + self.display
        self.display = scrolled.virtual_size.height > room > 1
        hidden = max(0, round(scrolled.max_scroll_y - scrolled.scroll_y))
        self.hidden = hidden if self.display else 0
        self.refresh()  # the key for paging can change with the focus

    def watch_hidden(self) -> None:
        self.screen.refresh_bindings()  # Enter pages down as long as text is hidden

    def render(self) -> Content:
        if not self.hidden:
            return Content("")
        space = self.screen.active_bindings.get("space")
        key = "space" if space and space.binding.action == "page(1)" else "pgdn"
        said = _("{lines} below").format(lines=counted(self.hidden, "more line"))
        return Content.assemble(("▼ ", f"bold {ACT}"), said, "  ", (key, f"bold {ACT}"))
