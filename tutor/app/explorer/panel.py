"""What the panels of the explorer have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tutor.app import theme
from tutor.app.explorer.events import ShowPanel
from tutor.app.widgets.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.events import Event


@dataclass
class Send(Message):
    """Carries an event to the controller of the explorer."""

    event: Event


def mark(chosen: bool) -> tuple[str, str]:
    """Return what stands before a line, with its style."""
    return ("› " if chosen else "  ", f"{theme.ACT} bold")


class ListPanel(Lines, can_focus=True):
    """Lists `entries`, of which the arrow keys choose one."""

    entries: Sequence[object] = ()
    chosen = 0

    def lay_out(self) -> None:
        raise NotImplementedError

    def send(self, event: Event) -> None:
        self.post_message(Send(event))

    def action_choose(self, by: int) -> None:
        if self.entries:
            self.chosen = (self.chosen + by) % len(self.entries)
            self.lay_out()

    def action_close(self) -> None:
        self.send(ShowPanel(None))
