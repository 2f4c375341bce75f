"""The format of messages in transit: MessagePack after a length of four bytes (big-endian)."""

from __future__ import annotations

import asyncio
from typing import Any, Union, get_args

import msgspec

from tutor.engine.wire import MAXIMUM_FRAME, FromEngine, Message, ToEngine, kinds
from tutor.errors import AnswerTooLarge, EngineError

HEADER = 4

# Not MessagePack or not a known message; text that is not UTF-8; nesting without end.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _decoder(messages: Any) -> msgspec.msgpack.Decoder[Any]:
    """Return a decoder for these messages, each of which is known by its tag."""
    every = tuple(kind for each in get_args(messages) for kind in kinds(each))
    return msgspec.msgpack.Decoder(Union[every])  # noqa: UP007 (from a tuple)


_encoder = msgspec.msgpack.Encoder()
_to_engine: msgspec.msgpack.Decoder[ToEngine] = _decoder(ToEngine)
_from_engine: msgspec.msgpack.Decoder[FromEngine] = _decoder(FromEngine)


def pack(message: Message, most: int = MAXIMUM_FRAME) -> bytes:
    """Return one frame of at most `most` bytes.

    Raises `AnswerTooLarge`, or `EngineError` for text that cannot be encoded.
    """
    try:
        payload = _encoder.encode(message)
    except (OverflowError, UnicodeEncodeError) as error:  # beyond 64 bits; half a surrogate pair
        raise EngineError(f"A message could not be encoded: {error}.") from error
    if len(payload) > most:
        raise AnswerTooLarge(
            f"The answer has {len(payload) // 1_000_000} MB, which is too large to send.",
            "Try a shorter text, or a position nearer to its beginning.",
        )
    return len(payload).to_bytes(HEADER, "big") + payload


def payload_size(header: bytes, most: int = MAXIMUM_FRAME) -> int:
    """Return how many bytes follow this header.

    Raises `EngineError` for a size that no message has: the stream is then corrupt, and where the
    next frame begins is unknown.
    """
    size = int.from_bytes(header, "big")
    if size > most:
        raise EngineError(f"A message claims to have {size:,} bytes, which is too large.")
    return size


def request_from(payload: bytes) -> ToEngine:
    """Return the request in a payload.

    Raises `EngineError` if it is invalid, or `SamplerError` if its settings are out of range.
    """
    try:
        return _to_engine.decode(payload)
    except UNREADABLE as error:
        raise EngineError(f"The engine received an invalid request: {error}.") from error


def answer_from(payload: bytes) -> FromEngine:
    """Return the answer in a payload. Raises `EngineError` if it is invalid."""
    try:
        return _from_engine.decode(payload)
    except UNREADABLE as error:
        raise EngineError(f"The engine sent an invalid response: {error}.") from error


async def received(stream: asyncio.StreamReader) -> FromEngine | None:
    """Return the next answer on a stream, None at its end. Raises `EngineError`."""
    try:
        header = await stream.readexactly(HEADER)
        return answer_from(await stream.readexactly(payload_size(header)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def id_in(payload: bytes) -> int:
    """Return the id of an otherwise invalid request, or 0 if it has none."""
    try:
        fields = msgspec.msgpack.decode(payload)
    except UNREADABLE:
        return 0
    if isinstance(fields, list) and len(fields) > 1 and isinstance(fields[1], int):
        return fields[1]
    return 0
