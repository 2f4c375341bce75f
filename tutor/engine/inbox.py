"""Requests as they come in, taken by another thread than the one that works, so that `Cancel` and
`Ping` are seen while the model works."""

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
    """`reply` sends a message; it is used for what cannot be read at all, and for `Ping`."""

    def __init__(self, reply: Callable[[wire.Message], None]) -> None:
        self._reply = reply
        self._waiting: deque[wire.AnyRequest] = deque()
        self._owed: set[int] = set()
        """Requests that have come and are not answered."""
        self._cancelled: set[int] = set()
        self._left = False
        self._changed = threading.Condition()
        self._current = 0
        self.permissions = Permissions()
        """What the learner has agreed to, as it was heard."""

    # --- for the thread that works --------------------------------------------------------------

    def empty(self) -> bool:
        return not self._waiting

    def first(self) -> wire.AnyRequest | None:
        """The request that comes next, if one has come."""
        with self._changed:
            return self._waiting[0] if self._waiting else None

    def next(self) -> wire.AnyRequest:
        """Wait for the next request, which is then the current one."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
        request = self.next_if_any()
        assert request is not None  # nobody else takes any
        return request

    def next_if_any(self) -> wire.AnyRequest | None:
        """The next request, which is then the current one; None where none has come, or whoever
        asked has left."""
        with self._changed:
            if not self._waiting:
                return None
            request = self._waiting.popleft()
            self._current = request.id
        return request

    def done(self, id_: int) -> None:
        """This request is answered: to cancel it means nothing any more."""
        with self._changed:
            self._owed.discard(id_)
            self._cancelled.discard(id_)

    def check_cancelled(self) -> None:
        """Raises `RequestCancelled` if the current request is not wanted any more."""
        self.check(self._current)

    def check(self, id_: int) -> None:
        """Raises `RequestCancelled` if this request is not wanted any more."""
        with self._changed:
            if self._left or id_ in self._cancelled:
                raise RequestCancelled("The request was cancelled.")

    # --- for the thread that listens ------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._owed)

    def take(self, payload: bytes) -> None:
        """A message has come."""
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
                greeting = "A greeting comes first, and once, to an engine that serves many."
                self._reply(wire.Failed.of(EngineError(greeting)))
            case _:
                assert_never(message)

    def leave(self) -> None:
        """Nobody will hear any more answers: what is under way is cancelled."""
        with self._changed:
            self._left = True
            self._waiting.clear()


class Pipe(Protocol):
    """What frames are read from."""

    def read(self, size: int, /) -> bytes | None: ...


class PipeInbox(Inbox):
    """One that reads a pipe, in a thread of its own.

    When the other end closes it, by intention or by dying, nobody is left to work for and
    nothing is worth saving: `on_end` is called, which in the engine ends the process at once.
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
        """`size` bytes, or nothing at the end of the stream."""
        received = self._stream.read(size)
        return received if received is not None and len(received) == size else b""
