"""Test the reader of Protocol Buffers with any messages, valid and not."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.errors import ModelDamaged
from tutor.lm.formats.protobuf import (
    Value,
    as_bool,
    as_bytes,
    as_float,
    as_int,
    as_text,
    read_fields,
)

numbers = st.integers(1, 2**29 - 1)
values = st.one_of(
    st.integers(0, 2**64 - 1), st.binary(max_size=40), st.binary(min_size=8, max_size=8)
)


def varint(value: int) -> bytes:
    """Encode a varint in the obvious way, bit by bit."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F)
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def field(number: int, value: Value, kind: int | None = None) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if kind is not None:
        return varint(number << 3 | kind) + value
    return varint(number << 3 | 2) + varint(len(value)) + value


@given(st.lists(st.tuples(numbers, values), max_size=8))
def test_what_was_written_is_read(fields: list[tuple[int, Value]]) -> None:
    assert list(read_fields(b"".join(field(*each) for each in fields))) == fields


@given(numbers, st.binary(min_size=4, max_size=4), st.binary(min_size=8, max_size=8))
def test_numbers_of_a_fixed_size_are_read(number: int, four: bytes, eight: bytes) -> None:
    message = field(number, four, kind=5) + field(number, eight, kind=1)
    assert list(read_fields(message)) == [(number, four), (number, eight)]


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = list(read_fields(data))
    except ModelDamaged as error:
        assert error.happened.endswith(".")  # noqa: PT017
    else:
        assert sum(len(value) for _, value in found if isinstance(value, bytes)) <= len(data)


@given(st.lists(st.tuples(numbers, st.binary(min_size=1, max_size=9)), min_size=1, max_size=4))
def test_a_message_without_its_last_byte_is_refused(fields: list[tuple[int, Value]]) -> None:
    message = b"".join(field(*each) for each in fields)
    with pytest.raises(ModelDamaged):
        list(read_fields(message[:-1]))


@pytest.mark.parametrize(
    "message",
    [
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # a length of 2^63 - 1
        b"\x0a\x05abc",  # a length of 5, but 3 bytes
        b"\x80" * 20,  # a number without an end
        b"\x0b\x0c",  # a group, which is obsolete
        b"\x0f\x00",  # an unassigned type
        b"\x00\x00",  # a field with the number 0
    ],
)
def test_impossible_messages_are_refused(message: bytes) -> None:
    with pytest.raises(ModelDamaged):
        list(read_fields(message))


@given(st.floats(width=32, allow_nan=False))
def test_floats(number: float) -> None:
    assert as_float(struct.pack("<f", number)) == number


@given(st.integers(-(2**31), 2**31 - 1))
def test_whole_numbers(number: int) -> None:
    """A negative int32 is stored as the 64-bit number that has the same bits."""
    assert as_int(number % 2**64) == number
    assert as_bool(number % 2**64) == (number != 0)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_texts(text: str) -> None:
    assert as_text(text.encode()) == text


@pytest.mark.parametrize(
    ("read", "value"),
    [(as_int, b"a"), (as_float, 1), (as_float, b"abc"), (as_bytes, 1), (as_text, b"\xff")],
)
def test_a_value_of_another_type_is_refused(read: object, value: Value) -> None:
    assert callable(read)
    with pytest.raises(ModelDamaged):
        read(value)
