"""Ignore clicks that were meant for a screen that is no longer shown.

A click may open another screen. If the learner clicks twice, or if the app is slow, the next click
arrives when the new screen is already there, with other keys in the same cells. That click was
meant for the previous screen, so it is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual._time import get_time
from textual.events import MouseDown

from tutor.app.terminal.remote_terminal import RemoteTerminal
from tutor.app.widgets.clicks import ClickedKey

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.events import Event
    from textual.geometry import Offset
    from textual.screen import Screen


class LateClicks:
    """A record of when the current screen was first painted, and of the latest click."""

    def __init__(self, double_click: float) -> None:
        """Create an empty record.

        `double_click` is the maximum time, in seconds, between the two clicks of a double click.
        """
        self._double_click = double_click
        self._painted: Screen[object] | None = None
        self._since = 0.0
        self._clicked: tuple[Screen[object], Offset, float] | None = None

    def paint(self, screen: Screen[object], now: float) -> None:
        """Record that `screen` has been painted."""
        if screen is not self._painted:
            self._painted, self._since = screen, now

    def is_late(self, event: MouseDown, screen: Screen[object]) -> bool:
        """Return True if a click that has arrived at `screen` was meant for another screen."""
        meant, at = screen, event.screen_offset
        if self._clicked is not None:
            before, where, when = self._clicked
            if where == at and event.time - when <= self._double_click:
                meant = before
        self._clicked = (meant, at, event.time)
        return meant is not screen or self._painted is not screen or event.time < self._since


class ClickingApp(RemoteTerminal):
    """An app in which a click affects only the screen that was visible at the time of the click."""

    def __init__(self) -> None:
        super().__init__()
        self._late_clicks = LateClicks(self.CLICK_CHAIN_TIME_THRESHOLD)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if renderable is not None and not self._in_a_batch():
            self._late_clicks.paint(screen, get_time())

    async def on_event(self, event: Event) -> None:
        if isinstance(event, ClickedKey) and event.screen is not self.screen:
            return
        if (
            isinstance(event, MouseDown)
            and not event.is_forwarded
            and self._late_clicks.is_late(event, self.screen)
        ):
            self._mouse_down_widget = None  # prevents a `Click` event
            return
        await super().on_event(event)
