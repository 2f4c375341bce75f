"""A learner, as an engine that serves many knows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.engine.inbox import Inbox
from tutor.engine.shared.scheduler import LearnerSlot
from tutor.engine.wire import Message

if TYPE_CHECKING:
    from tutor.engine.server import Server


class Learner(LearnerSlot):
    """Made by the thread that listens. `account` is the user id that the system gives for whoever
    is connected; `labs` is where is kept what they train. For the thread that works: `server` has
    their sessions and lab backends, whose names mean nothing to anyone else, and `idle` is whether
    what was computed has been dropped since they last asked."""

    def __init__(
        self, inbox: Inbox, send: Callable[[Message], None], account: int, labs: Path
    ) -> None:
        super().__init__(inbox)
        self.send = send
        self.account = account
        self.labs = labs
        self.server: Server | None = None
        self.idle = False
