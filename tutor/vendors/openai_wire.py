r"""Define the messages of OpenAI's protocol, and convert them to pieces.

There are two formats of log-probabilities. The chat format contains the bytes of each token.
llama.cpp's server also uses it when it continues text.

The completion format contains only text. A token with a part of a character appears as
`bytes:\xe2\x80`, as a replacement character, or as an empty string, depending on the server.
Alternatives whose bytes are unknown are left out, and their probability counts as hidden.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from tutor.vendors.service import Alternative, Piece, Reason

_BYTES = re.compile(r"bytes:(?:\\x[0-9a-fA-F]{2})+")


class TopLogProb(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenLogProb(msgspec.Struct, frozen=True):
    """A token with its log-probability, in the chat format."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[TopLogProb] | None = None


class LogProbs(msgspec.Struct, frozen=True):
    """The log-probabilities of an answer.

    `content` is set in the chat format, and all other fields in the completion format.
    """

    content: list[TokenLogProb] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None


class Delta(msgspec.Struct, frozen=True):
    content: str | None = None
    refusal: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """An answer in a response. `delta` is set in a chat, and `text` in a text completion."""

    delta: Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: LogProbs | None = None


class TokenUsage(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(msgspec.Struct, frozen=True):
    """One event of a stream, or a complete response."""

    choices: list[Choice] = []
    usage: TokenUsage | None = None


class Pieces:
    """A converter from events to pieces. It joins bytes of a character that arrive separately."""

    def __init__(self) -> None:
        self.count = 0
        """Return the number of non-empty pieces so far."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def of(self, choice: Choice) -> Iterator[Piece]:
        text = choice.text or ""
        if choice.delta is not None:
            text = (choice.delta.content or "") + (choice.delta.refusal or "")
        told = list(tokens_in(choice.logprobs)) if choice.logprobs is not None else []
        if told and not any(piece.data for piece in told) and text:
            told = []
        if not told and text:
            told = [Piece("", text.encode("utf-8", "surrogatepass"))]
        for piece in told:
            self.count += bool(piece.data)
            shown = self._decoder.decode(piece.data)
            yield msgspec.structs.replace(piece, text=shown)

    def rest(self) -> Iterator[Piece]:
        """Yield a replacement character if the last character is not complete."""
        if left := self._decoder.decode(b"", final=True):
            yield Piece(left, b"")


def tokens_in(told: LogProbs) -> Iterator[Piece]:
    """Yield the tokens that have log-probabilities. Their `text` is filled in later."""
    if told.content is not None:
        for token in told.content:
            tops = [(_data(top.token, top.bytes), top.logprob) for top in token.top_logprobs or ()]
            own = _data(token.token, token.bytes)
            yield Piece("", own, _finite(token.logprob), _alternatives(tops))
        return
    tokens = told.tokens or ()
    for index, text in enumerate(tokens):
        own = _at(told.token_logprobs, index)
        tops = [
            (_data(name), value) for name, value in (_at(told.top_logprobs, index) or {}).items()
        ]
        yield Piece("", _data(text), None if own is None else _finite(own), _alternatives(tops))


class Echo(msgspec.Struct, frozen=True):
    """The tokens of a prompt that a server has repeated, with their log-probabilities.

    `followed` is True if the server also returned a token after the prompt. `ended` is True if the
    model ended the text right after the prompt.
    """

    pieces: tuple[Piece, ...]
    followed: bool
    ended: bool

    @property
    def without_log_probabilities(self) -> tuple[Piece, ...]:
        return tuple(Piece(piece.text, piece.data) for piece in self.pieces)


def echo_in(answer: Any, prompt: str) -> Echo | None:
    """Return the prompt in a response to a request with `echo`.

    The result is None if the tokens don't add up to `prompt`. Raises `msgspec.ValidationError`.
    """
    chunk = msgspec.convert(answer, Chunk)
    choice = chunk.choices[0] if chunk.choices else Choice()
    if choice.logprobs is None:
        return None
    wanted, data = prompt.encode("utf-8", "surrogatepass"), b""
    found: list[Piece] = []
    followed = False
    for piece in tokens_in(choice.logprobs):
        if data == wanted:
            followed = True
            break
        if not found and not wanted.startswith(piece.data):
            continue  # The special token at the start of the text is not a part of the prompt.
        data += piece.data
        if piece.data:
            found.append(msgspec.structs.replace(piece, text=piece.data.decode("utf-8", "replace")))
    if data != wanted:
        return None
    ended = finish_reason(choice.finish_reason) == "stop"
    return Echo(tuple(found), followed, ended)


def finish_reason(said: str | None) -> Reason:
    if said in ("stop", "eos", "end_turn"):
        return "stop"
    return "length" if said == "length" else "other"


def _data(text: str, numbers: Sequence[int] | None = None) -> bytes:
    """Return the bytes of a token, or empty bytes if they are unknown."""
    if numbers is not None and all(0 <= number < 256 for number in numbers):
        return bytes(numbers)
    if _BYTES.fullmatch(text):
        return bytes.fromhex(text.removeprefix("bytes:").replace("\\x", ""))
    return b"" if "\ufffd" in text else text.encode("utf-8", "surrogatepass")


def _alternatives(tops: Sequence[tuple[bytes, float]]) -> tuple[Alternative, ...]:
    """Return the alternatives, the most probable first.

    Alternatives with the same bytes can't be told apart, so their probabilities are added.
    """
    merged: dict[bytes, float] = {}
    for data, value in tops:
        if data and math.isfinite(value):
            before = merged.get(data)
            value = min(value, 0.0)
            merged[data] = value if before is None else _sum(before, value)
    ordered = sorted(merged.items(), key=lambda each: (-each[1], each[0]))
    return tuple(Alternative(data, value) for data, value in ordered)


def _sum(one: float, other: float) -> float:
    """Return log(exp(one) + exp(other)), but at most 0."""
    high, low = max(one, other), min(one, other)
    return min(0.0, high + math.log1p(math.exp(low - high)))


def _finite(value: float) -> float | None:
    return min(value, 0.0) if math.isfinite(value) else None


def _at(values: Sequence[Any] | None, index: int) -> Any:
    return values[index] if values is not None and index < len(values) else None
