"""What services that speak OpenAI's protocol send, read into pieces.

Log-probabilities come in two forms. That of conversations, which llama.cpp's own server uses for
continuations too, names the bytes of each token. The older one of continuations has texts alone: a
token that is a piece of a character is written there as `bytes:\\xe2\\x80`, as a replacement
character, or as nothing, depending on the server. What says nothing about its bytes is left out,
and its probability counts as hidden.
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


class Top(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenTold(msgspec.Struct, frozen=True):
    """One token in the form of conversations."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[Top] | None = None


class Told(msgspec.Struct, frozen=True):
    """Log-probabilities: `content` is the form of conversations, the rest the older one."""

    content: list[TokenTold] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None


class Delta(msgspec.Struct, frozen=True):
    content: str | None = None
    refusal: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """`delta` in a conversation, `text` in a continuation."""

    delta: Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: Told | None = None


class UsageTold(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(msgspec.Struct, frozen=True):
    """One event of a stream, or a whole answer."""

    choices: list[Choice] = []
    usage: UsageTold | None = None


class Pieces:
    """Makes pieces of what comes in, and puts characters together again whose bytes came apart."""

    def __init__(self) -> None:
        self.count = 0
        """How many pieces with anything in them there were."""
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
        """What is left of a character that was never finished."""
        if left := self._decoder.decode(b"", final=True):
            yield Piece(left, b"")


def tokens_in(told: Told) -> Iterator[Piece]:
    """The tokens that log-probabilities are told of; their `text` is still to be put together."""
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
    """A prompt as a server repeats it: its tokens, each with the log-probability that stands
    beside it. `followed`: something is told of a token behind the prompt, too. `ended`: the model
    put none there."""

    pieces: tuple[Piece, ...]
    followed: bool
    ended: bool

    @property
    def without_costs(self) -> tuple[Piece, ...]:
        return tuple(Piece(piece.text, piece.data) for piece in self.pieces)


def echo_in(answer: Any, prompt: str) -> Echo | None:
    """What the answer to a request with `echo` repeats; None where the tokens of `prompt` are not
    all there. Raises `msgspec.ValidationError`."""
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
            continue  # the mark that begins a text is no part of it
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
    """The bytes of a token; empty where the server does not say."""
    if numbers is not None and all(0 <= number < 256 for number in numbers):
        return bytes(numbers)
    if _BYTES.fullmatch(text):
        return bytes.fromhex(text.removeprefix("bytes:").replace("\\x", ""))
    return b"" if "\ufffd" in text else text.encode("utf-8", "surrogatepass")


def _alternatives(tops: Sequence[tuple[bytes, float]]) -> tuple[Alternative, ...]:
    """Most probable first; two that look the same are added up, as nothing tells them apart."""
    merged: dict[bytes, float] = {}
    for data, value in tops:
        if data and math.isfinite(value):
            before = merged.get(data)
            value = min(value, 0.0)
            merged[data] = value if before is None else _sum(before, value)
    ordered = sorted(merged.items(), key=lambda each: (-each[1], each[0]))
    return tuple(Alternative(data, value) for data, value in ordered)


def _sum(one: float, other: float) -> float:
    """log(e^one + e^other), at most 0."""
    high, low = max(one, other), min(one, other)
    return min(0.0, high + math.log1p(math.exp(low - high)))


def _finite(value: float) -> float | None:
    return min(value, 0.0) if math.isfinite(value) else None


def _at(values: Sequence[Any] | None, index: int) -> Any:
    return values[index] if values is not None and index < len(values) else None
