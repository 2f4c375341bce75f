"""How messages travel: MessagePack behind a length of four bytes (big-endian)."""

from __future__ import annotations

import asyncio
from typing import Any, Union, get_args

import msgspec

from tutor.engine.wire import MAXIMUM_FRAME, FromEngine, Message, ToEngine, kinds
from tutor.errors import AnswerTooLarge, EngineError

HEADER = 4

# No MessagePack or no such message; text that is not UTF-8; nested without end.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _decoder(messages: Any) -> msgspec.msgpack.Decoder[Any]:
    """Return what reads these messages, each by its tag."""
    every = tuple(kind for each in get_args(messages) for kind in kinds(each))
    return msgspec.msgpack.Decoder(Union[every])  # noqa: UP007 (made of a tuple)


_encoder = msgspec.msgpack.Encoder()
_to_engine: msgspec.msgpack.Decoder[ToEngine] = _decoder(ToEngine)
_from_engine: msgspec.msgpack.Decoder[FromEngine] = _decoder(FromEngine)


def pack(message: Message, most: int = MAXIMUM_FRAME) -> bytes:
    """Return one frame, of at most so many bytes. Raises `AnswerTooLarge`, and `EngineError` for
    text that cannot be sent."""
    try:
        payload = _encoder.encode(message)
    except (OverflowError, UnicodeEncodeError) as error:  # beyond 64 bits; half a surrogate pair
        raise EngineError(f"A message cannot be sent: {error}.") from error
    if len(payload) > most:
        raise AnswerTooLarge(
            f"It is {len(payload) // 1_000_000} MB, too large to be sent at once.",
            "Try it with a shorter text, or nearer to its beginning.",
        )
    return len(payload).to_bytes(HEADER, "big") + payload


def payload_size(header: bytes, most: int = MAXIMUM_FRAME) -> int:
    """How many bytes follow this header. Raises `EngineError` for a size that no message has:
    what comes is no frame, and where the next one begins is unknown."""
    size = int.from_bytes(header, "big")
    if size > most:
        raise EngineError(f"A message claims to have {size:,} bytes.")
    return size


def request_from(payload: bytes) -> ToEngine:
    """Raises `EngineError` if it is none, `SamplerError` if it has settings out of range."""
    try:
        return _to_engine.decode(payload)
    except UNREADABLE as error:
        raise EngineError(f"A request cannot be read: {error}.") from error


def answer_from(payload: bytes) -> FromEngine:
    """Raises `EngineError` if it is none."""
    try:
        return _from_engine.decode(payload)
    except UNREADABLE as error:
        raise EngineError(f"The engine's answer cannot be read: {error}.") from error


async def received(stream: asyncio.StreamReader) -> FromEngine | None:
    """The next answer on a stream, None at its end. Raises `EngineError`."""
    try:
        header = await stream.readexactly(HEADER)
        return answer_from(await stream.readexactly(payload_size(header)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def id_in(payload: bytes) -> int:
    """The id in a request that is otherwise unreadable, as far as it can be told; else 0."""
    try:
        fields = msgspec.msgpack.decode(payload)
    except UNREADABLE:
        return 0
    if isinstance(fields, list) and len(fields) > 1 and isinstance(fields[1], int):
        return fields[1]
    return 0
