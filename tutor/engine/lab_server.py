"""Answers the questions of labs, and nothing else: a learner's own engine beside one that serves
many. What it is there for (their files, their keys, models elsewhere) mostly needs no model, so one
is loaded only for a lab that asks for it. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Callable

from tutor.engine.answering import Answering
from tutor.engine.backends import Benches
from tutor.engine.inbox import Inbox
from tutor.engine.wire import AskLab, Close, LabAnswer, Length, Message, Request
from tutor.errors import EngineError


class LabServer(Answering):
    def __init__(self, benches: Benches, inbox: Inbox, send: Callable[[Message], None]) -> None:
        super().__init__(inbox, send)
        self._benches = benches

    def work_on(self, request: Request) -> Message:
        match request:
            case AskLab(id_, name, lab, question):
                return LabAnswer(id_, self._benches.answer(name, lab, question))
            case Close(id_, name):
                self._benches.close(name)
                return Length(id_, 0)
            case _:
                raise EngineError(
                    f"This engine answers labs alone, and this is {type(request).__name__}."
                )
