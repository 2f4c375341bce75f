"""Read the fields of a message in the Protocol Buffers format.

A message is a sequence of fields. Each field is a key and a value. The key contains the number of
the field and the wire type of the value (https://protobuf.dev/programming-guides/encoding):

    0   varint             a whole number, 7 bits in each byte, the lowest bits first
    1   8 bytes            a 64-bit number
    2   length-delimited   a length as a varint, then this number of bytes: text, or another message
    5   4 bytes            a 32-bit number

The bytes are untrusted. A length is checked against the rest of the message before it is used, and
reading takes time proportional to the number of bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tutor.errors import ModelDamaged

Value = int | bytes

_VARINT, _EIGHT_BYTES, _DELIMITED, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT = 10  # bytes, enough for 64 bits


def read_fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Yield the number and the value of each field of a message, in order.

    The value is a whole number for a varint, and otherwise the bytes of the value. Raises
    `ModelDamaged` if the message ends in the middle of a field, or contains a type that is not in
    the list above.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise ModelDamaged(f"a field at byte {at:,} has the invalid number 0.")
        if kind == _VARINT:
            whole, at = _varint(message, at)
            yield number, whole
            continue
        if kind == _DELIMITED:
            size, at = _varint(message, at)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ModelDamaged(f"the field at byte {at:,} has the unknown type {kind}.")
        if size > end - at:
            raise ModelDamaged(f"the field at byte {at:,} is longer than the rest of the message.")
        yield number, message[at : at + size]
        at += size


def as_bool(value: Value) -> bool:
    """Return the value of a Boolean field. Raises `ModelDamaged` if it has another type."""
    return as_int(value) != 0


def as_int(value: Value) -> int:
    """Return the value of an int32 field. Negative numbers are stored as 64 bits.

    Raises `ModelDamaged` if the value has another type.
    """
    if not isinstance(value, int):
        raise ModelDamaged("a field is not a whole number.")
    return value - (1 << 64) if value >= 1 << 63 else value


def as_float(value: Value) -> float:
    """Return the value of a 32-bit float field. Raises `ModelDamaged` if it has another type."""
    if not isinstance(value, bytes) or len(value) != 4:
        raise ModelDamaged("a field is not a 32-bit float.")
    found: float = struct.unpack("<f", value)[0]
    return found


def as_bytes(value: Value) -> bytes:
    """Return the bytes of a field. Raises `ModelDamaged` if the value has another type."""
    if not isinstance(value, bytes):
        raise ModelDamaged("a field is a number instead of bytes.")
    return value


def as_text(value: Value) -> str:
    """Return the value of a text field. Raises `ModelDamaged` if it is not valid UTF-8."""
    try:
        return as_bytes(value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelDamaged("a string is not valid UTF-8.") from error


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the varint that starts at byte `at`, and the position of the byte after it."""
    found = 0
    for place, byte in enumerate(message[at : at + _LONGEST_VARINT]):
        found |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return found & (1 << 64) - 1, at + place + 1
    raise ModelDamaged(f"the number at byte {at:,} is not terminated.")
