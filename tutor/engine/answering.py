"""The loop of every server in the engine: take a request, answer it, survive its errors."""

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
    """A server that answers each request with the handler for its type.

    A handler returns the answer, or raises the error that explains why there is none.
    """

    def __init__(self, inbox: Inbox, send: Callable[[Message], None]) -> None:
        self.inbox = inbox
        self._send = send
        self._handlers: dict[type[Message], Callable[[Any], Message]] = {}

    def on(self, kind: type[RequestKind], handler: Callable[[RequestKind], Message]) -> None:
        """Register `handler` for requests of this type."""
        self._handlers[kind] = handler

    def serve(self) -> None:
        """Answer requests in an endless loop.

        The inbox ends the process once the app is gone.
        """
        while True:
            self.answer_next()

    def answer_next(self) -> None:
        """Wait for the next request and answer it."""
        self.answer(self.inbox.next())

    def answer(self, request: AnyRequest) -> None:
        self.reply(request, lambda: self.work_on(request))

    def work_on(self, request: AnyRequest) -> Message:
        """Return the answer of the request's handler. Raises `EngineError` if it has none."""
        handler = self._handlers.get(type(request))
        if handler is None:
            raise self.unknown(request)
        return handler(request)

    def unknown(self, request: AnyRequest) -> EngineError:
        return EngineError(f"The engine does not know the request {type(request).__name__}.")

    def reply(self, request: AnyRequest, work: Callable[[], Message]) -> None:
        """Send what `work` returns or raises, and mark the request as done."""
        answer = self._answer(request, work)
        try:
            self._send(answer)
        except EngineError as error:  # too large, such as the attention over a long text
            self._send(Failed.of(error, request.id))
        self.inbox.done(request.id)

    def _answer(self, request: AnyRequest, work: Callable[[], Message]) -> Message:
        try:
            self.inbox.check(request.id)
            return work()
        except TutorError as error:
            return Failed.of(error, request.id)
        except Exception as error:
            # A bug must neither end the other sessions nor leave the app waiting for an answer.
            log.exception("request %r", type(request).__name__)
            if is_shortage(error):
                memory = NotEnoughMemory("There is not enough memory for this text.")
                return Failed.of(memory, request.id)
            happened = f"An internal error occurred in the engine: {type(error).__name__}: {error}."
            return Failed.of(EngineError(happened, "See the engine's log for details."), request.id)
