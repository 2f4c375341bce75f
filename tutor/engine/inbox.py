"""Requests as they come in, read by a thread so that `Cancel` and `Ping` are seen while the model
works."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import BinaryIO

from tutor.engine import frames
from tutor.engine.protocol import Allow, Cancel, Failed, Message, Ping, Pong, Request
from tutor.errors import EngineError, RequestCancelled, TutorError
from tutor.remote.keys import Secret
from tutor.remote.permissions import Permissions


class Inbox:
    """`reply` sends a message; it is used for what cannot be read at all, and for `Ping`.

    When the other end closes the pipe, by intention or by dying, nobody is left to work for and
    nothing is worth saving: `on_end` is called, which in the engine ends the process at once.
    """

    def __init__(
        self,
        stream: BinaryIO,
        reply: Callable[[Message], None],
        on_end: Callable[[], None] = lambda: os._exit(0),
    ) -> None:
        self._stream = stream
        self._reply = reply
        self._on_end = on_end
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._owed: set[int] = set()
        """Requests that have come and are not answered."""
        self._cancelled: set[int] = set()
        self._lock = threading.Lock()
        self._current = 0
        self.permissions = Permissions()
        """What the learner has agreed to, as it was heard."""

    def start(self) -> None:
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def empty(self) -> bool:
        return self._requests.empty()

    def next(self) -> Request:
        """Wait for the next request, which is then the current one."""
        request = self._requests.get()
        with self._lock:
            self._current = request.id
        return request

    def done(self, id_: int) -> None:
        """This request is answered: to cancel it means nothing any more."""
        with self._lock:
            self._owed.discard(id_)
            self._cancelled.discard(id_)

    def check_cancelled(self) -> None:
        """Raises `RequestCancelled` if the current request is not wanted any more."""
        self.check(self._current)

    def check(self, id_: int) -> None:
        """Raises `RequestCancelled` if this request is not wanted any more."""
        with self._lock:
            if id_ in self._cancelled:
                raise RequestCancelled("The request was cancelled.")

    def _read(self) -> None:
        while header := self._exactly(frames.HEADER):
            try:
                size = frames.payload_size(header)
            except EngineError as error:
                self._reply(Failed(0, type(error).__name__, error.happened, error.next_step))
                break
            payload = self._exactly(size)
            if len(payload) < size:
                break
            self._take(payload)
        self._on_end()

    def _take(self, payload: bytes) -> None:
        try:
            message = frames.request_from(payload)
        except TutorError as error:
            kind = type(error).__name__
            self._reply(Failed(frames.id_in(payload), kind, error.happened, error.next_step))
            return
        match message:
            case Ping():
                self._reply(Pong())
            case Cancel(target):
                with self._lock:
                    if target in self._owed:
                        self._cancelled.add(target)
            case Allow(host, key):
                self.permissions.allow(host, Secret(key) if key else None)
            case _:
                with self._lock:
                    self._owed.add(message.id)
                self._requests.put(message)

    def _exactly(self, size: int) -> bytes:
        """`size` bytes, or nothing at the end of the stream."""
        received = self._stream.read(size)
        return received if received is not None and len(received) == size else b""
