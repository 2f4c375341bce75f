"""The message with which the parts of the explorer report what the learner did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tutor.app.explorer.events import Event


class Send(Message):
    """Carries an event to the controller of the explorer."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event
