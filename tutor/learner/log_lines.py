"""Encode and decode the lines of the review log.

A line consists of a checksum (the CRC-32 of the JSON, in eight hexadecimal digits), a space, the
JSON, and a newline. If a session is killed while it writes a line, the next session ends this line
with a marker, and all readers ignore the line. Lines of an unknown kind, which a newer version has
written, stay unchanged.
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
    """A line of the log, from byte `start` to byte `end`, that ends with a newline.

    If `unknown` is True, the line is intact but contains a kind of event that only a newer version
    can decode. If `damaged` is True, the checksum or the format of the line is wrong. `event` is
    None in both cases, and also if the line ends with the marker `UNFINISHED`.
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
    """Yield the complete lines of `file` from byte `start` to byte `end`.

    By default, `end` is the end of the file.
    """
    file.seek(start)
    for data in file:
        if not data.endswith(b"\n") or (end is not None and start >= end):
            return
        yield decode(data, start)
        start += len(data)


def lines_in(data: bytes) -> list[Line]:
    return list(lines_of(io.BytesIO(data)))


def encode(event: LogEvent) -> bytes:
    """Return an event encoded as a line of the log.

    Raises `StoreError` if decoding the line would not return the same event.
    """
    body = exact_json(event, _decoder)
    return f"{zlib.crc32(body):08x} ".encode() + body + b"\n"


def exact_json(value: object, decoder: msgspec.json.Decoder[Any]) -> bytes:
    """Return `value` as JSON that `decoder` decodes to the same value.

    Raises `StoreError` if this is not possible because the value contains an unpaired surrogate
    (from a broken terminal) or a number that is not finite.
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
    """Decode one line. `data` includes the newline, and `start` is its byte offset in the log."""
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
        # Events in old logs have no id. The computed id depends on the position and the JSON, so it
        # is unique and always the same.
        id_ = hashlib.blake2b(b"%d " % start + body, digest_size=16).hexdigest()
        event = msgspec.structs.replace(event, id=id_)
    return Line(start, end, checksum, event=event)
