"""Define the common interface of all remote models.

The prompt of a request is either text to continue or a conversation to respond to. The response is
a stream of `Piece` events, followed by one `Finish` event.

    for event in service.stream(RemoteRequest("The capital of France is", most_tokens=5), cancel):
        match event:
            case Piece(text=text): ...
            case Finish(reason=reason): ...

A failure raises a subclass of `RemoteError` (see `tutor.errors`), and the caller keeps the pieces
that have arrived. This module does not import the vendors' clients, torch or the user interface, so
labs can store its types in their states.
"""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Literal, Protocol

import msgspec

from tutor.errors import RequestCancelled
from tutor.lm.distribution import PLAIN, ChatMessage, SamplerSettings

SILENCE = 120.0
"""The maximum number of seconds without data. The limits in `tutor.vendors.runs` are lower."""

_COMPRESSIONS = {"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"}

NO_KEY = "none"
"""A placeholder for a missing API key, because client libraries require a key."""

Reason = Literal["stop", "length", "other"]
"""The reason why a response ended.

The model ended it, it reached `most_tokens`, or there was another reason. If the service blocked a
response, `AnswerBlocked` is raised instead.
"""


class RemoteRequest(msgspec.Struct, frozen=True):
    """A request. `prompt` is text to continue, or a conversation to respond to.

    The service applies the `sampler` settings that it supports; other settings are not sent. All
    services support temperature and top-p, Gemini and most self-hosted servers support top-k, and
    most self-hosted servers support min-p.

    `top` is the number of alternatives to return per token. If `seed` is None, the service chooses
    a seed. Most services don't guarantee that a seed always gives the same response.

    `tail` contains the server's ids of tokens that follow the prompt. Together, they end in the
    middle of a character, so they can't be part of the prompt's text.
    """

    prompt: str | tuple[ChatMessage, ...]
    sampler: SamplerSettings = PLAIN
    most_tokens: int = 256
    top: int = 0
    seed: int | None = None
    tail: tuple[int, ...] = ()


class Alternative(msgspec.Struct, frozen=True):
    """A possible token, with its bytes and the natural logarithm of its probability.

    `id` is the server's id of the token, if the server reports it. `ends` is True for a token that
    ends the text or the answer.
    """

    data: bytes
    log_probability: float
    id: int | None = None
    ends: bool = False

    @property
    def probability(self) -> float:
        return math.exp(self.log_probability)


class Piece(msgspec.Struct, frozen=True):
    """A part of a response.

    If the service returns log-probabilities, a piece is one token. `data` contains its bytes,
    `log_probability` is its log-probability, and `alternatives` lists the most probable tokens at
    its position, the most probable first. Otherwise, a piece is the text of one event of the
    stream.

    `text` is the text to display. If the bytes of a character belong to several tokens, the
    character appears in the last of them.
    """

    text: str
    data: bytes
    log_probability: float | None = None
    alternatives: tuple[Alternative, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """The numbers of tokens that the service reports, or None for each number that is missing.

    `answer_tokens` includes hidden reasoning tokens, because services charge for them.
    """

    prompt_tokens: int | None = None
    answer_tokens: int | None = None


class Finish(msgspec.Struct, frozen=True):
    """The end of a response."""

    reason: Reason
    usage: Usage = Usage()


class Cancellation:
    """A switch that ends a stream from another thread.

    The code that reads the stream registers a function with `on_cancel`. `cancel` calls this
    function immediately, even while the stream waits for a slow server.
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._close: Callable[[], None] | None = None

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `RequestCancelled` if `cancel` has been called."""
        if self.cancelled:
            raise RequestCancelled("The request was canceled.")

    def on_cancel(self, close: Callable[[], None] | None) -> None:
        """Set the function that `cancel` calls.

        If `cancel` was already called, call it immediately.
        """
        with self._lock:
            self._close = close
        if close is not None and self.cancelled:
            close()

    def cut_off(self, connection: socket.socket | None) -> None:
        """Make `cancel` shut down this socket, which wakes up the thread that is waiting for data.

        Closing the socket would not wake up this thread.
        """

        def shut_down() -> None:
            if connection is not None:
                with suppress(OSError, ValueError):
                    connection.shutdown(socket.SHUT_RDWR)

        self.on_cancel(shut_down)

    def cancel(self) -> None:
        with self._lock:
            self._cancelled.set()
            close = self._close
        if close is not None:
            close()


class Service(Protocol):
    """A remote model that responds to requests. `tutor.vendors.opening.open_service` creates it."""

    def stream(
        self, request: RemoteRequest, cancellation: Cancellation
    ) -> Iterator[Piece | Finish]:
        """Yield the response as it arrives. This blocks until the next part arrives.

        Raises `RemoteError`, or `RequestCancelled` soon after `cancellation.cancel()` was called.
        """
        ...

    def prompt_tokens(self, text: str, cancellation: Cancellation) -> tuple[Piece, ...] | None:
        """Return the tokens of `text` as the service tokenizes it, with their log-probabilities.

        The first token has no log-probability. The result is None if the service does not report
        tokens.
        """
        ...


def is_compressed(encoding: str) -> bool:
    """Return True if a client would decompress a response with this `Content-Encoding` header.

    Clients ignore values that they don't know. Some servers send `none`, so that proxies between
    them and the client compress nothing.
    """
    return not _COMPRESSIONS.isdisjoint(each.strip().lower() for each in encoding.split(","))
