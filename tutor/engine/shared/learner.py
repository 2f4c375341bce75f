"""A learner, as an engine that serves many knows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.engine.inbox import Inbox
from tutor.engine.shared.scheduler import LearnerSlot
from tutor.engine.wire import Message

if TYPE_CHECKING:
    from tutor.engine.shared.learner_state import LearnerState


class Learner(LearnerSlot):
    """Made by the thread that listens; `state` is for the one that works. `account` is the user id
    that the system gives for whoever is connected; `labs` is where is kept what they train."""

    def __init__(
        self, inbox: Inbox, send: Callable[[Message], None], account: int, labs: Path
    ) -> None:
        super().__init__(inbox)
        self.send = send
        self.account = account
        self.labs = labs
        self.state: LearnerState | None = None
