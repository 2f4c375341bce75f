"""The lines of the review log.

A line is the CRC-32 of its JSON in eight hexadecimal digits, a space, the JSON, a newline. What a
killed writer left behind of a line is closed with a mark when the next line is appended, and never
counts. Lines of a kind that this program does not know (from a newer version) stay where they are.
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
    """One complete line. `event` is None when it is `unknown` (sound, but of a kind or shape that
    this program does not understand), `damaged`, or the mark of an unfinished line."""

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
    """The complete lines of `file` from byte `start` up to `end`, or to its end."""
    file.seek(start)
    for data in file:
        if not data.endswith(b"\n") or (end is not None and start >= end):
            return
        yield decode(data, start)
        start += len(data)


def lines_in(data: bytes) -> list[Line]:
    return list(lines_of(io.BytesIO(data)))


def encode(event: LogEvent) -> bytes:
    """One line. Raises `StoreError` for an event that could not be read back."""
    body = exact_json(event, _decoder)
    return f"{zlib.crc32(body):08x} ".encode() + body + b"\n"


def exact_json(value: object, decoder: msgspec.json.Decoder[Any]) -> bytes:
    """`value` as JSON from which `decoder` makes it again. Raises `StoreError` when there is none:
    half a character typed through a broken terminal, a number that is not finite."""
    try:
        body = msgspec.json.encode(value)
        if decoder.decode(body) == value:
            return body
    except (UnicodeEncodeError, msgspec.ValidationError):
        pass
    raise StoreError(
        "This contains something that cannot be written to a file.",
        "Type it again with ordinary characters.",
    )


def decode(data: bytes, start: int) -> Line:
    """The line `data`, newline included, that stands at byte `start` of the log."""
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
        # from before events had one: the same wherever its log is read, and that of no other event
        id_ = hashlib.blake2b(b"%d " % start + body, digest_size=16).hexdigest()
        event = msgspec.structs.replace(event, id=id_)
    return Line(start, end, checksum, event=event)
