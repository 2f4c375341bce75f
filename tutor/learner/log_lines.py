"""Encode and decode the lines of the review log.

A line consists of the CRC-32 of its JSON in eight hexadecimal digits, a space, the JSON, and a
newline. If a writer is killed in the middle of a line, the next append ends that line with a
marker, and the line is ignored from then on. Lines of an unknown kind, written by a newer version,
stay unchanged.
"""

import hashlib
import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from tutor.errors import StoreError
from tutor.learner.records import LogEvent

UNFINISHED = b" (unfinished)\n"

_decoder = msgspec.json.Decoder(LogEvent)


class Line(msgspec.Struct, frozen=True):
    """A complete line of the log.

    `event` is None if the line is `unknown` (intact, but this version cannot interpret it), is
    `damaged`, or ends with the marker of an unfinished line.
    """

    start: int
    end: int
    checksum: str
    event: LogEvent | None = None
    unknown: bool = False
    damaged: bool = False

    @property
    def sound(self) -> bool:
        return self.event is not None or self.unknown


def lines_of(file: BinaryIO, start: int = 0, end: int | None = None) -> Iterator[Line]:
    """Yield the complete lines of `file` from byte `start` to byte `end` (default: its end)."""
    file.seek(start)
    for data in file:
        if not data.endswith(b"\n") or (end is not None and start >= end):
            return
        yield decode(data, start)
        start += len(data)


def lines_in(data: bytes) -> list[Line]:
    return list(lines_of(io.BytesIO(data)))


def encode(event: LogEvent) -> bytes:
    """Return an event as a line. Raises `StoreError` if decoding it would not restore the event."""
    body = exact_json(event, _decoder)
    return f"{zlib.crc32(body):08x} ".encode() + body + b"\n"


def exact_json(value: object, decoder: msgspec.json.Decoder[Any]) -> bytes:
    """Return `value` as JSON that `decoder` decodes to the same value.

    Raises `StoreError` if that is impossible because of an unpaired surrogate (from a broken
    terminal) or a number that is not finite.
    """
    try:
        body = msgspec.json.encode(value)
        if decoder.decode(body) == value:
            return body
    except (UnicodeEncodeError, msgspec.ValidationError):
        pass
    raise StoreError(
        "The input contains a character or number that cannot be saved.",
        "Enter it again with ordinary characters.",
    )


def decode(data: bytes, start: int) -> Line:
    """Decode one line. `data` includes the newline and begins at byte `start` of the log."""
    end = start + len(data)
    checksum, body = data[:8].decode("ascii", "replace"), data[9:-1]
    if data.endswith(UNFINISHED):
        return Line(start, end, checksum)
    if data[8:9] != b" " or checksum != f"{zlib.crc32(body):08x}":
        return Line(start, end, checksum, damaged=True)
    try:
        event = _decoder.decode(body)
    except msgspec.DecodeError:
        return Line(start, end, checksum, unknown=True)
    if not event.id:
        # Events in old logs have no id. Compute one from the position and the JSON, so that it
        # is unique and always the same.
        id_ = hashlib.blake2b(b"%d " % start + body, digest_size=16).hexdigest()
        event = msgspec.structs.replace(event, id=id_)
    return Line(start, end, checksum, event=event)
