"""Encode and decode messages: a four-byte big-endian length, then a MessagePack payload."""

from __future__ import annotations

import asyncio
from typing import Any, Union, get_args

import msgspec

from tutor.engine.wire import MAXIMUM_FRAME, FromEngine, Message, ToEngine, kinds
from tutor.errors import AnswerTooLarge, EngineError

HEADER = 4

# The decoder raises these errors for invalid MessagePack, unknown message types, text that isn't
# UTF-8, or values that are nested too deeply.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _decoder(messages: Any) -> msgspec.msgpack.Decoder[Any]:
    """Return a decoder that recognizes messages of these classes by their tags."""
    every = tuple(kind for each in get_args(messages) for kind in kinds(each))
    return msgspec.msgpack.Decoder(Union[every])  # noqa: UP007 (from a tuple)


_encoder = msgspec.msgpack.Encoder()
_to_engine: msgspec.msgpack.Decoder[ToEngine] = _decoder(ToEngine)
_from_engine: msgspec.msgpack.Decoder[FromEngine] = _decoder(FromEngine)


def pack(message: Message, most: int = MAXIMUM_FRAME) -> bytes:
    """Encode a message as a frame: its length, then at most `most` bytes of MessagePack.

    Raises `AnswerTooLarge`, or `EngineError` for a value that cannot be encoded.
    """
    try:
        payload = _encoder.encode(message)
    # an integer is too large, or a string contains a lone surrogate
    except (OverflowError, UnicodeEncodeError) as error:
        raise EngineError(f"The message could not be encoded: {error}.") from error
    if len(payload) > most:
        raise AnswerTooLarge(
            f"The response is {len(payload) // 1_000_000} MB, which is too large to send.",
            "Try a shorter text or an earlier position.",
        )
    return len(payload).to_bytes(HEADER, "big") + payload


def payload_size(header: bytes, most: int = MAXIMUM_FRAME) -> int:
    """Return the size of a frame's payload in bytes, given the frame's header.

    Raises `EngineError` if the size exceeds `most`. The caller must then stop reading, because the
    stream is corrupt and the start of the next frame is unknown.
    """
    size = int.from_bytes(header, "big")
    if size > most:
        raise EngineError(f"The message is too large: its header specifies {size:,} bytes.")
    return size


def request_from(payload: bytes) -> ToEngine:
    """Decode a message from the app.

    Raises `EngineError` if the message is invalid, or `SamplerError` if its sampler settings are
    out of range.
    """
    try:
        return _to_engine.decode(payload)
    except UNREADABLE as error:
        raise EngineError(f"The engine received an invalid request: {error}.") from error


def answer_from(payload: bytes) -> FromEngine:
    """Decode a message from the engine. Raises `EngineError` if the message is invalid."""
    try:
        return _from_engine.decode(payload)
    except UNREADABLE as error:
        raise EngineError(f"The engine sent an invalid response: {error}.") from error


async def received(stream: asyncio.StreamReader) -> FromEngine | None:
    """Read the engine's next message, or return None at the end of the stream.

    Raises `EngineError` if the message is invalid or too large.
    """
    try:
        header = await stream.readexactly(HEADER)
        return answer_from(await stream.readexactly(payload_size(header)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def id_in(payload: bytes) -> int:
    """Return the id in an invalid request, or 0 if no id can be decoded."""
    try:
        fields = msgspec.msgpack.decode(payload)
    except UNREADABLE:
        return 0
    if isinstance(fields, list) and len(fields) > 1 and isinstance(fields[1], int):
        return fields[1]
    return 0
