"""Encode and decode the lines of the review log.

A line consists of a checksum (the CRC-32 of the JSON, in eight hexadecimal digits), a space, the
JSON, and a newline. If a session is killed while it writes a line, the next session ends this line
with a marker, and all readers ignore the line. Lines of an unknown kind, which a newer version has
written, stay unchanged.

The checksum also repairs a line: it tells which bit was flipped, or that only the newline is wrong.
"""

import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, BinaryIO

import msgspec

from tutor.errors import StoreError
from tutor.learner.records import LogEvent

UNFINISHED = b" (unfinished)\n"
BEGINNING = re.compile(rb'(?=[0-9a-f]{8} \{"event":)')
"""The beginning of a line, even if the newline before it is damaged."""
_LAST_BRACE = re.compile(rb"\}(?=.(?:[0-9a-f]{8} |[0-9a-f]{0,8}\Z))", re.DOTALL)
"""The end of the JSON of a line, if the byte after it is not a newline but should be one."""
_LONGEST = 1000
"""The maximum length, in bytes, of the JSON in which a flipped bit is corrected."""

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


def lines_in(data: bytes, start: int = 0) -> list[Line]:
    """Return the complete lines of `data`, which begins at byte `start` of a log."""
    lines: list[Line] = []
    for line in io.BytesIO(data):
        if line.endswith(b"\n"):
            lines.append(decode(line, start))
            start += len(line)
    return lines


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
    if is_damaged(data):
        return Line(start, end, checksum, damaged=True)
    if data.endswith(UNFINISHED):
        return Line(start, end, checksum)
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


# --- checksums ------------------------------------------------------------------------------------


def is_damaged(line: bytes) -> bool:
    """Return True if the checksum of a line is wrong, or if a whole line has lost its newline.

    A line with the marker, or without a newline at the end of the log, has no checksum.
    """
    if line.endswith(UNFINISHED):
        return _end_of_json(line[: -len(UNFINISHED)]) > 0
    if not line.endswith(b"\n"):
        return _end_of_json(line) > 0
    return line[:9] != _prefix(line[9:-1])


def _prefix(body: bytes) -> bytes:
    return b"%08x " % zlib.crc32(body)


def _end_of_json(line: bytes) -> int:
    """Return the position at which the checksum fits although no newline follows, or 0."""
    found, done = 0, 9
    for brace in _LAST_BRACE.finditer(line):
        found, done = zlib.crc32(line[done : brace.end()], found), brace.end()
        if line[:9] == b"%08x " % found:
            return done
    return 0


def damaged_runs(lines: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """Yield the position and the end of each run of neighboring damaged lines.

    A run that is shorter than the marker is left out, because it was never an event. It may be an
    empty line that was inserted by hand.
    """
    start = place = 0
    for line in lines:
        end = place + len(line)
        if not is_damaged(line):
            if place - start >= len(UNFINISHED):
                yield start, place
            start = end
        place = end
    if place - start >= len(UNFINISHED):
        yield start, place


def corrected(line: bytes) -> bytes:
    """Return a damaged line, or what is left at the end of a log, without its damage if possible.

    This is possible if one bit of the line is wrong, or only its newline. In the second case, the
    result has more lines. The length never changes.
    """
    parts = [part for part in BEGINNING.split(line) if part]
    lines = [part[:-1] + b"\n" for part in parts[:-1]] + parts[-1:]
    return b"".join(map(_with_newlines, lines))


def _with_newlines(line: bytes) -> bytes:
    made = b""
    while end := _end_of_json(line):
        made, line = made + line[:end] + b"\n", line[end + 1 :]
    return made + _with_bit_corrected(line)


def _with_bit_corrected(line: bytes) -> bytes:
    """Return the line without its one flipped bit, or unchanged if this is not its damage.

    A CRC is linear: if one bit is flipped, its value changes by an amount that depends only on how
    far the bit is from the end.
    """
    prefix, body = line[:9], line[9:-1]
    if not body or not line.endswith(b"\n") or not is_damaged(line):
        return line
    right = _prefix(body)
    if (int.from_bytes(prefix, "big") ^ int.from_bytes(right, "big")).bit_count() == 1:
        return right + line[9:]
    try:
        change = int(prefix, 16) ^ zlib.crc32(body)
    except ValueError:
        return line
    distance, bit = _flipped_bits().get(change, (0, 0))
    if not 0 < distance <= len(body):
        return line
    made = bytearray(line)
    made[-1 - distance] ^= 1 << bit
    return line if is_damaged(bytes(made)) or b"\n" in made[:-1] else bytes(made)


@cache
def _flipped_bits() -> dict[int, tuple[int, int]]:
    """Map each change of the checksum to the flipped bit that causes it.

    A bit is given by the distance of its byte from the end of the JSON, from 1 to `_LONGEST`, and
    by its number in the byte.
    """
    found: dict[int, tuple[int, int]] = {}
    zero = zlib.crc32(b"\0")
    for bit in range(8):
        change = zlib.crc32(bytes([1 << bit])) ^ zero
        for distance in range(1, _LONGEST + 1):
            found[change] = distance, bit
            change = zlib.crc32(b"\0", change) ^ zero  # with one more byte after the bit
    return found
