"""A learner, as a shared engine knows them."""

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
    """A connected learner, created by the thread that listens.

    `account` is their user id, as the system reports it; `labs` is the folder for what they train.
    The thread that works owns the rest: `server` has their sessions and lab backends, whose names
    mean nothing to anyone else, and `idle` tells whether their caches were dropped since their last
    request.
    """

    def __init__(
        self, inbox: Inbox, send: Callable[[Message], None], account: int, labs: Path
    ) -> None:
        super().__init__(inbox)
        self.send = send
        self.account = account
        self.labs = labs
        self.server: Server | None = None
        self.idle = False
