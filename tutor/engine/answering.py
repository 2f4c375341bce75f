"""What every server in the engine does: takes requests, answers each, and lives on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from tutor.engine.inbox import Inbox
from tutor.engine.wire import AnyRequest, Failed, Message
from tutor.errors import EngineError, NotEnoughMemory, TutorError
from tutor.lm.fast.shortage import is_shortage

log = logging.getLogger(__name__)

RequestKind = TypeVar("RequestKind", bound=AnyRequest)


class Answering:
    """Answers each request by the handler for its type. A handler returns the answer, or raises
    why there is none."""

    def __init__(self, inbox: Inbox, send: Callable[[Message], None]) -> None:
        self.inbox = inbox
        self._send = send
        self._handlers: dict[type[Message], Callable[[Any], Message]] = {}

    def on(self, kind: type[RequestKind], handler: Callable[[RequestKind], Message]) -> None:
        """Answer requests of this type by `handler`."""
        self._handlers[kind] = handler

    def serve(self) -> None:
        """Answer requests for ever: the inbox ends the process when nobody is left to ask."""
        while True:
            self.answer_next()

    def answer_next(self) -> None:
        """Wait for one request and see to its answer."""
        self.answer(self.inbox.next())

    def answer(self, request: AnyRequest) -> None:
        self.reply(request, lambda: self.work_on(request))

    def work_on(self, request: AnyRequest) -> Message:
        """Return the answer of the request's handler. Raises `EngineError` where there is none."""
        handler = self._handlers.get(type(request))
        if handler is None:
            raise self.unknown(request)
        return handler(request)

    def unknown(self, request: AnyRequest) -> EngineError:
        return EngineError(f"Requests of the kind {type(request).__name__} are unknown.")

    def reply(self, request: AnyRequest, work: Callable[[], Message]) -> None:
        """Send what `work` comes to, and be done with the request."""
        answer = self._answer(request, work)
        try:
            self._send(answer)
        except EngineError as error:  # the attention of a long text in a large model, for one
            self._send(Failed.of(error, request.id))
        self.inbox.done(request.id)

    def _answer(self, request: AnyRequest, work: Callable[[], Message]) -> Message:
        try:
            self.inbox.check(request.id)
            return work()
        except TutorError as error:
            return Failed.of(error, request.id)
        except Exception as error:
            # A mistake of ours must not end the other sessions or leave somebody waiting.
            log.exception("request %r", type(request).__name__)
            if is_shortage(error):
                memory = NotEnoughMemory("There is not enough memory for this text.")
                return Failed.of(memory, request.id)
            happened = f"The engine made a mistake: {type(error).__name__}: {error}."
            return Failed.of(EngineError(happened, "The engine's log has the details."), request.id)
