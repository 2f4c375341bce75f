"""The main loop of the engine's servers, which handles requests and reports errors."""

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
    """A server that passes each request to the handler for its type.

    A handler returns the response or raises an error.
    """

    def __init__(self, inbox: Inbox, send: Callable[[Message], None]) -> None:
        self.inbox = inbox
        self._send = send
        self._handlers: dict[type[Message], Callable[[Any], Message]] = {}

    def on(self, kind: type[RequestKind], handler: Callable[[RequestKind], Message]) -> None:
        """Register `handler` for requests of type `kind`."""
        self._handlers[kind] = handler

    def serve(self) -> None:
        """Handle requests in an endless loop.

        This never returns: when the app exits, the inbox terminates the process.
        """
        while True:
            self.answer_next()

    def answer_next(self) -> None:
        """Wait for the next request and respond to it."""
        self.answer(self.inbox.next())

    def answer(self, request: AnyRequest) -> None:
        self.reply(request, lambda: self.work_on(request))

    def work_on(self, request: AnyRequest) -> Message:
        """Call the handler for a request, and return its response.

        Raises `EngineError` if there is no handler for this type of request.
        """
        handler = self._handlers.get(type(request))
        if handler is None:
            raise self.unknown(request)
        return handler(request)

    def unknown(self, request: AnyRequest) -> EngineError:
        return EngineError(f"The engine does not support the request {type(request).__name__}.")

    def reply(self, request: AnyRequest, work: Callable[[], Message]) -> None:
        """Call `work`, send its result or error as the response, and mark the request as done."""
        answer = self._answer(request, work)
        try:
            self._send(answer)
        except EngineError as error:  # the response may be too large to send
            self._send(Failed.of(error, request.id))
        self.inbox.done(request.id)

    def _answer(self, request: AnyRequest, work: Callable[[], Message]) -> Message:
        try:
            self.inbox.check(request.id)
            return work()
        except TutorError as error:
            return Failed.of(error, request.id)
        except Exception as error:
            # A bug must not end the other sessions or leave the app waiting for a response.
            log.exception("request %r", type(request).__name__)
            if is_shortage(error):
                memory = NotEnoughMemory("There is not enough memory for this text.")
                return Failed.of(memory, request.id)
            happened = f"An internal error occurred in the engine: {type(error).__name__}: {error}."
            return Failed.of(EngineError(happened, "See the engine's log for details."), request.id)
