"""Answers the questions of labs, and nothing else: a learner's own engine beside one that serves
many. What it is there for (their files, their keys, remote models) mostly needs no model, so one
is loaded only for a lab that asks for it. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Callable

from tutor.engine.answering import Answering
from tutor.engine.backends import LabBackends
from tutor.engine.inbox import Inbox
from tutor.engine.wire import AnyRequest, AskLab, Close, Message
from tutor.errors import EngineError


class LabServer(Answering):
    def __init__(
        self, backends: LabBackends, inbox: Inbox, send: Callable[[Message], None]
    ) -> None:
        super().__init__(inbox, send)
        self.on(AskLab, backends.on_question)
        self.on(Close, backends.on_close)

    def unknown(self, request: AnyRequest) -> EngineError:
        return EngineError(f"This engine answers labs alone, and this is {type(request).__name__}.")
