"""A learner who is connected to a shared engine."""

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
    """A learner who is connected to the engine. The listener thread creates this object.

    `account` is the user id of the learner's account, and `labs` is the folder for the networks
    that the learner trains. Only the worker thread uses the other attributes: `server` contains the
    learner's sessions and lab backends, and `idle` is True if their caches have been freed since
    the last request.
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
