"""The explanation of the selected setting, which scrolls if it does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll

from tutor.app.widgets.more_below import MoreBelow
from tutor.app.widgets.static import Static

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.content import Content

_KEY = "space"


class Explanation(VerticalScroll, can_focus=False):
    """A text that is as tall as its content, up to a maximum height."""

    DEFAULT_CSS = "Explanation { height: auto; scrollbar-size-vertical: 0; }"

    def compose(self) -> ComposeResult:
        yield Static(id="about", markup=False)

    def show(self, text: Content) -> None:
        """Replace the text, and show its beginning."""
        self.query_one("#about", Static).update(text)
        self.scroll_home(animate=False)

    def page(self) -> None:
        """Page down or, at the end, go back to the beginning."""
        if self.scroll_y < self.max_scroll_y:
            self.scroll_relative(y=max(1, self.size.height - 1), animate=False)
        else:
            self.scroll_home(animate=False)


class MoreOfExplanation(MoreBelow):
    """A line that says how much of the explanation is hidden, and which key shows more of it."""

    SHARES_ROOM = False
    PRESSED = (_KEY, _KEY)

    def _above(self) -> Iterator[Content]:
        if not self.hidden:
            yield from super()._above()

    def _below_key(self) -> str:
        return _KEY

    def _above_key(self) -> str:
        return _KEY
