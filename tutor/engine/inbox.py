"""The engine's queue of incoming requests.

One thread receives messages and another handles requests, so the engine responds to `Cancel` and
`Ping` even while the model is busy.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol, assert_never

from tutor.engine import frames, wire
from tutor.errors import EngineError, RequestCancelled, TutorError
from tutor.vendors.keys import Secret
from tutor.vendors.permissions import Permissions


class Inbox:
    """A queue of requests from one client, in the order in which they arrived.

    The inbox responds to `Ping` and to invalid messages itself, by calling `reply` with a message
    to send.
    """

    def __init__(self, reply: Callable[[wire.Message], None]) -> None:
        self._reply = reply
        self._waiting: deque[wire.AnyRequest] = deque()
        self._owed: set[int] = set()
        """The ids of the requests without a response, including the one that is being handled."""
        self._cancelled: set[int] = set()
        self._left = False
        self._changed = threading.Condition()
        self._current = 0
        self.permissions = Permissions()
        """The hosts that the learner has agreed to send text to, with their API keys."""

    # --- for the worker thread ------------------------------------------------------------------

    def empty(self) -> bool:
        return not self._waiting

    def first(self) -> wire.AnyRequest | None:
        """Return the next request without removing it, or None if the queue is empty."""
        with self._changed:
            return self._waiting[0] if self._waiting else None

    def next(self) -> wire.AnyRequest:
        """Wait for the next request, remove it from the queue, and make it the current request."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
        request = self.next_if_any()
        assert request is not None  # only this thread removes requests
        return request

    def next_if_any(self) -> wire.AnyRequest | None:
        """Remove the next request from the queue and make it the current request.

        Returns None if the queue is empty.
        """
        with self._changed:
            if not self._waiting:
                return None
            request = self._waiting.popleft()
            self._current = request.id
        return request

    def done(self, id_: int) -> None:
        """Mark a request as done, so that canceling it no longer has an effect."""
        with self._changed:
            self._owed.discard(id_)
            self._cancelled.discard(id_)

    def check_cancelled(self) -> None:
        """Raise `RequestCancelled` if the current request has been canceled."""
        self.check(self._current)

    def check(self, id_: int) -> None:
        """Raise `RequestCancelled` if this request has been canceled."""
        with self._changed:
            if self._left or id_ in self._cancelled:
                raise RequestCancelled("The request was canceled.")

    # --- for the listener thread ----------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._owed)

    def take(self, payload: bytes) -> None:
        """Handle a message from the client. Requests are only added to the queue."""
        try:
            message = frames.request_from(payload)
        except TutorError as error:
            self._reply(wire.Failed.of(error, frames.id_in(payload)))
            return
        match message:
            case wire.Ping():
                self._reply(wire.Pong())
            case wire.Cancel(target=target):
                with self._changed:
                    if target in self._owed:
                        self._cancelled.add(target)
            case wire.Allow(host=host, key=key):
                self.permissions.allow(host, Secret(key) if key else None)
            case wire.PathRequest() | wire.SessionQuestion() | wire.Tokenize() | wire.AskLab():
                with self._changed:
                    self._owed.add(message.id)
                    self._waiting.append(message)
                    self._changed.notify()
            case wire.Hello() | wire.AskEngineLoad():
                greeting = "A greeting must be the first message to a shared engine."
                self._reply(wire.Failed.of(EngineError(greeting)))
            case _:
                assert_never(message)

    def leave(self) -> None:
        """Cancel all requests. Call this when the client has disconnected."""
        with self._changed:
            self._left = True
            self._waiting.clear()


class Pipe(Protocol):
    """A binary stream that contains messages."""

    def read(self, size: int, /) -> bytes | None: ...


class PipeInbox(Inbox):
    """An inbox that reads from a pipe in its own thread.

    When the app closes the pipe or crashes, the inbox calls `on_end`. By default, this terminates
    the engine process immediately, because the process has no other client and no data to save.
    """

    def __init__(
        self,
        stream: Pipe,
        reply: Callable[[wire.Message], None],
        on_end: Callable[[], None] = lambda: os._exit(0),
    ) -> None:
        super().__init__(reply)
        self._stream = stream
        self._on_end = on_end

    def start(self) -> None:
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def _read(self) -> None:
        while header := self._exactly(frames.HEADER):
            try:
                size = frames.payload_size(header)
            except EngineError as error:
                self._reply(wire.Failed.of(error))
                break
            payload = self._exactly(size)
            if len(payload) < size:
                break
            self.take(payload)
        self._on_end()

    def _exactly(self, size: int) -> bytes:
        """Read exactly `size` bytes. Returns no bytes if the stream ends too early."""
        received = self._stream.read(size)
        return received if received is not None and len(received) == size else b""
