"""One interface for every remote model.

A request is a text to be continued or a conversation to be answered. The answer is a stream:
`Piece` after `Piece`, each with what the service tells about it, and one `Finish` at the end.

    for event in service.stream(RemoteRequest("The capital of France is", most_tokens=5), cancel):
        match event:
            case Piece(text=text): ...
            case Finish(reason=reason): ...

What fails raises a `RemoteError` (`tutor.errors`), whose kinds say what it was; what has arrived
before is the caller's to keep. Nothing here imports a vendor's client, torch or the screen, so
that labs can keep these types in their states.
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
"""Seconds without a byte; whoever looks at the clock of an answer gives up before
(`tutor.vendors.runs`)."""

NO_KEY = "none"
"""What is sent where there is no key: clients insist on one, such servers do not look."""

Reason = Literal["stop", "length", "other"]
"""Why an answer ended: the model ended it, `most_tokens` was reached, or what the service calls
otherwise. An answer that the service kept back raises `AnswerBlocked` instead."""


class RemoteRequest(msgspec.Struct, frozen=True):
    """`prompt` is a text to be continued as it is, or a conversation to be answered.

    `sampler` is applied by the service: temperature and top-p by all, top-k by Gemini and most
    servers that people run themselves, min-p by the latter only; what a service does not know is
    not sent. `top` is how many alternatives are wanted for each
    token, 0 for none. `seed` None leaves the draw to the service; most do not promise to repeat.
    """

    prompt: str | tuple[ChatMessage, ...]
    sampler: SamplerSettings = PLAIN
    most_tokens: int = 256
    top: int = 0
    seed: int | None = None


class Alternative(msgspec.Struct, frozen=True):
    """A token that could have come here: its exact bytes, and the natural logarithm of its
    probability."""

    data: bytes
    log_probability: float

    @property
    def probability(self) -> float:
        return math.exp(self.log_probability)


class Piece(msgspec.Struct, frozen=True):
    """A part of an answer.

    Where the service tells log-probabilities a piece is one token: `data` are its bytes,
    `log_probability` is its own, `alternatives` are the most probable tokens of its place, most
    probable first. Elsewhere a piece is as much text as the service sent at once, and says nothing
    about tokens. `text` is what is to be shown: a character whose bytes are spread over several
    tokens stands in the last of them.
    """

    text: str
    data: bytes
    log_probability: float | None = None
    alternatives: tuple[Alternative, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """Tokens as the service counted them; None for what it does not say. `answer_tokens` includes
    those of reasoning that is not shown, where there is any: they are paid for, too."""

    prompt_tokens: int | None = None
    answer_tokens: int | None = None


class Finish(msgspec.Struct, frozen=True):
    """The end of an answer."""

    reason: Reason
    usage: Usage = Usage()


class Cancellation:
    """Ends a stream from another thread.

    Whoever streams says with `on_cancel` what is to be closed; `cancel` closes it at once, also
    while the stream waits for a slow server.
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._close: Callable[[], None] | None = None

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raises `RequestCancelled` once `cancel` was called."""
        if self.cancelled:
            raise RequestCancelled("The answer was stopped.")

    def on_cancel(self, close: Callable[[], None] | None) -> None:
        """What to close; called at once if it is too late. None: nothing any more."""
        with self._lock:
            self._close = close
        if close is not None and self.cancelled:
            close()

    def cut_off(self, line: socket.socket | None) -> None:
        """Have `cancel` end this connection, which another thread may be waiting for: closing
        alone would not wake it."""

        def shut_down() -> None:
            if line is not None:
                with suppress(OSError, ValueError):
                    line.shutdown(socket.SHUT_RDWR)

        self.on_cancel(shut_down)

    def cancel(self) -> None:
        with self._lock:
            self._cancelled.set()
            close = self._close
        if close is not None:
            close()


class Service(Protocol):
    """A remote model, ready to be asked; `tutor.vendors.opening.open_service` makes one."""

    def stream(
        self, request: RemoteRequest, cancellation: Cancellation
    ) -> Iterator[Piece | Finish]:
        """The answer as it arrives; blocks until there is more of it.

        Raises `RemoteError`, and `RequestCancelled` soon after `cancellation.cancel()`.
        """
        ...

    def prompt_tokens(self, text: str, cancellation: Cancellation) -> tuple[Piece, ...] | None:
        """The tokens of `text` as the service reads it, each with the log-probability that it had
        where it stands (the first has none); None where the service does not tell."""
        ...
