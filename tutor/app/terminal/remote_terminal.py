"""An app that may have to draw over a slow line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from textual._compositor import CompositorUpdate
from textual._context import active_message_pump
from textual.app import App
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.events import InputEvent, Resize
from textual.worker import WorkerFailed

from tutor.app import theme
from tutor.app.terminal.line import DIRECT, Line
from tutor.app.terminal.throttled_terminal import ThrottledTerminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.events import Event
    from textual.message_pump import MessagePump
    from textual.screen import Screen

    from tutor.app.terminal.screen_diff import Changes


class RemoteTerminal(App[None]):
    """Draws as Textual does, until it is told that its line is slow."""

    line: Line = DIRECT
    throttled: ThrottledTerminal | None = None
    """What paints on a slow line; None on a fast one."""

    def draw_over(self, line: Line) -> None:
        """Call before the app runs."""
        self.line = line
        if line.pacing is not None and sys.__stderr__ is not None:  # what Textual draws on
            terminal = sys.__stderr__.fileno()
            self.throttled = ThrottledTerminal(
                line.pacing, terminal, self.console, held=self._in_a_batch, send=self._send
            )
        if not line.colorful:
            self.theme = theme.SIXTEEN_COLORS.name

    @property
    def crash(self) -> Exception | None:
        """The mistake in the program that ended the app, if one did."""
        return self._exception

    def _handle_exception(self, error: Exception) -> None:
        """What a screen looks for in itself is gone while it is taken away, and is not missed."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        if not (isinstance(cause, NoMatches) and self._taking_away(active_message_pump.get(self))):
            super()._handle_exception(error)

    def _taking_away(self, pump: MessagePump) -> bool:
        """Whether that is in something that is being taken away, if only with the program."""
        nodes = pump.ancestors_with_self if isinstance(pump, DOMNode) else []
        return self._exit or any(node._pruning for node in nodes)

    def _fatal_error(self) -> None:
        """Textual would print it here, with all variables; see `tutor.app.terminal.crash`."""
        self._close_messages_no_wait()

    def action_redraw(self) -> None:
        """For when somebody else wrote on the terminal."""
        if self.throttled is not None:
            self.throttled.asked(anew=True)
        self.refresh(layout=True)

    async def on_event(self, event: Event) -> None:
        if self.throttled is not None and isinstance(event, InputEvent | Resize):
            self.throttled.asked(anew=isinstance(event, Resize))
        await super().on_event(event)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """The one place where Textual hands over what it wants on the terminal."""
        if (
            self.throttled is None
            or not isinstance(renderable, CompositorUpdate)
            or self._in_a_batch()
        ):
            super()._display(screen, renderable)
        else:
            self.throttled.show(renderable, self.size)

    def _in_a_batch(self) -> bool:
        """Whether Textual throws away what is displayed now."""
        return self._batch_count > 0

    def _send(self, changes: Changes) -> None:
        super()._display(self.screen, changes)
