"""One interface for every remote model.

A request is a text to be continued or a conversation to be answered. The answer is a stream:
`Piece` after `Piece`, each with what the service reports about it, and one `Finish` at the end.

    for event in service.stream(RemoteRequest("The capital of France is", most_tokens=5), cancel):
        match event:
            case Piece(text=text): ...
            case Finish(reason=reason): ...

A failure raises a `RemoteError` (`tutor.errors`), whose subclass says what happened; the caller
keeps the pieces that arrived before. Nothing here imports a vendor's client, torch or the screen,
so labs can keep these types in their states.
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
"""Seconds to wait for the next byte. The time limits of `tutor.vendors.runs` are shorter."""

NO_KEY = "none"
"""The key to send if there is none: clients require one, and servers without keys ignore it."""

Reason = Literal["stop", "length", "other"]
"""Why an answer ended: the model ended it, `most_tokens` was reached, or another reason.

An answer that the service withheld raises `AnswerBlocked` instead.
"""


class RemoteRequest(msgspec.Struct, frozen=True):
    """A request: `prompt` is a text to be continued or a conversation to be answered.

    The service applies `sampler`: all services know temperature and top-p, Gemini and most servers
    that people run themselves know top-k, and the latter also min-p. Settings that a service does
    not know are not sent. `top` is the number of alternatives wanted for each token, 0 for none. If
    `seed` is None, the service draws at random; most services do not promise repeatable answers.
    """

    prompt: str | tuple[ChatMessage, ...]
    sampler: SamplerSettings = PLAIN
    most_tokens: int = 256
    top: int = 0
    seed: int | None = None


class Alternative(msgspec.Struct, frozen=True):
    """A token that could have come here: its bytes, and the natural log of its probability."""

    data: bytes
    log_probability: float

    @property
    def probability(self) -> float:
        return math.exp(self.log_probability)


class Piece(msgspec.Struct, frozen=True):
    """A part of an answer.

    If the service returns log-probabilities, a piece is one token: `data` is its bytes,
    `log_probability` its own, and `alternatives` are the most probable tokens at its position, most
    probable first. Otherwise a piece is as much text as the service sent at once, and says nothing
    about tokens. `text` is what to show: a character whose bytes are spread over several tokens is
    in the last of them.
    """

    text: str
    data: bytes
    log_probability: float | None = None
    alternatives: tuple[Alternative, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """Token counts as the service reports them; None if it does not report one.

    `answer_tokens` includes hidden reasoning tokens, if there are any: they are charged for, too.
    """

    prompt_tokens: int | None = None
    answer_tokens: int | None = None


class Finish(msgspec.Struct, frozen=True):
    """The end of an answer."""

    reason: Reason
    usage: Usage = Usage()


class Cancellation:
    """A switch that ends a stream from another thread.

    The code that streams registers with `on_cancel` what has to be closed. `cancel` closes it at
    once, even while the stream waits for a slow server.
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._close: Callable[[], None] | None = None

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `RequestCancelled` once `cancel` was called."""
        if self.cancelled:
            raise RequestCancelled("The answer was stopped.")

    def on_cancel(self, close: Callable[[], None] | None) -> None:
        """Register what to close, or None for nothing. After `cancel`, it is closed at once."""
        with self._lock:
            self._close = close
        if close is not None and self.cancelled:
            close()

    def cut_off(self, connection: socket.socket | None) -> None:
        """Let `cancel` shut down this connection, which wakes a thread that waits for it.

        Closing it would not wake the thread.
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
    """A remote model that answers requests; `tutor.vendors.opening.open_service` creates one."""

    def stream(
        self, request: RemoteRequest, cancellation: Cancellation
    ) -> Iterator[Piece | Finish]:
        """Yield the answer as it arrives, and block until more of it does.

        Raises `RemoteError`, and `RequestCancelled` soon after `cancellation.cancel()`.
        """
        ...

    def prompt_tokens(self, text: str, cancellation: Cancellation) -> tuple[Piece, ...] | None:
        """Return the tokens of `text` as the service tokenizes it, each with its log-probability.

        The first token has none. Returns None if the service does not report tokens.
        """
        ...
