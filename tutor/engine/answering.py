"""What every server in the engine does: takes requests, answers each, and lives on."""

from __future__ import annotations

import logging
from collections.abc import Callable

from tutor.engine.inbox import Inbox
from tutor.engine.wire import Failed, Message, Request
from tutor.errors import EngineError, NotEnoughMemory, TutorError
from tutor.lm.fast.shortage import is_shortage

log = logging.getLogger(__name__)


class Answering:
    """Subclasses say in `work_on` what the answer to a request is, or raise why there is none."""

    def __init__(self, inbox: Inbox, send: Callable[[Message], None]) -> None:
        self.inbox = inbox
        self._send = send

    def serve(self) -> None:
        """Answer requests for ever: the inbox ends the process when nobody is left to ask."""
        while True:
            self.answer_next()

    def answer_next(self) -> None:
        """Wait for one request and see to its answer."""
        self.answer(self.inbox.next())

    def answer(self, request: Request) -> None:
        self.reply(request, lambda: self.work_on(request))

    def work_on(self, request: Request) -> Message:
        raise NotImplementedError

    def reply(self, request: Request, work: Callable[[], Message]) -> None:
        """Send what `work` comes to, and be done with the request."""
        answer = self._answer(request, work)
        try:
            self._send(answer)
        except EngineError as error:  # the attention of a long text in a large model, for one
            self._send(_failed(request, error))
        self.inbox.done(request.id)

    def _answer(self, request: Request, work: Callable[[], Message]) -> Message:
        try:
            self.inbox.check(request.id)
            return work()
        except TutorError as error:
            return _failed(request, error)
        except Exception as error:
            # A mistake of ours must not end the other sessions or leave somebody waiting.
            log.exception("request %r", type(request).__name__)
            if is_shortage(error):
                memory = NotEnoughMemory("There is not enough memory for this text.")
                return _failed(request, memory)
            happened = f"The engine made a mistake: {type(error).__name__}: {error}."
            return _failed(request, EngineError(happened, "The engine's log has the details."))


def _failed(request: Request, error: TutorError) -> Failed:
    return Failed(request.id, type(error).__name__, error.happened, error.next_step)
