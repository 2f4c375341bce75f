"""The review log: one line for every event, appended and never changed.

A line is the CRC-32 of its JSON in eight hexadecimal digits, a space, the JSON, a newline. It is
written in one piece and is on disk before `append` returns. What a killed writer left behind of a
line is closed with a mark when the next line is appended, and never counts. Lines of a kind that
this program does not know (from a newer version) stay where they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tutor import private
from tutor.errors import StoreError
from tutor.learner import disk
from tutor.learner.records import LogEvent, LogMark

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


class ReviewLog:
    """`append` needs the learner's lock, reading does not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def size(self) -> int:
        """Bytes; 0 when there is no log yet."""
        with disk.failures_in_words(self.path, "read"):
            try:
                return self.path.stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                return 0

    def append(self, event: LogEvent) -> None:
        """Add one line and wait until the disk has it.

        Raises `StoreFull`, `StoreReadOnly` or `StoreError`; then the log is as it was before.
        """
        self.extend((event,))

    def extend(self, events: Iterable[LogEvent]) -> None:
        """Add one line for each event, all of them or none, and wait until the disk has them.
        Whoever is killed within it may leave the first ones. Raises what `append` does."""
        lines = b"".join(map(encode, events))
        if not lines:
            return
        with disk.failures_in_words(self.path, "saved"):
            new = not self.path.exists()
            descriptor = private.open_file(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            try:
                size = os.fstat(descriptor).st_size
                try:
                    torn = size > 0 and _byte_at(descriptor, size - 1) != b"\n"
                    disk.write_all(descriptor, UNFINISHED + lines if torn else lines)
                    os.fsync(descriptor)
                except OSError:
                    with contextlib.suppress(OSError):
                        os.ftruncate(descriptor, size)
                    raise
            finally:
                os.close(descriptor)
            if new:
                disk.sync_folder(self.path.parent)

    def read(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """The complete lines from byte `start` up to `end`, or to the end of the log."""
        with disk.failures_in_words(self.path, "read"):
            try:
                file = self.path.open("rb")
            except (FileNotFoundError, NotADirectoryError):
                return
            with file:
                file.seek(start)
                for data in file:
                    if not data.endswith(b"\n") or (end is not None and start >= end):
                        return
                    yield decode(data, start)
                    start += len(data)

    def contains(self, mark: LogMark) -> bool:
        """Whether the line that `mark` ends with is still where it was."""
        if mark.end == 0:
            return True
        for line in self.read(mark.start, mark.end):
            return (line.end, line.checksum) == (mark.end, mark.checksum)
        return False


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
        event = msgspec.structs.replace(event, id=_id_of(body, start))
    return Line(start, end, checksum, event=event)


def _id_of(body: bytes, start: int) -> str:
    """The id of an event from before events had one: the same wherever its log is read, and that
    of no other event."""
    return hashlib.blake2b(b"%d " % start + body, digest_size=16).hexdigest()


def _byte_at(descriptor: int, position: int) -> bytes:
    os.lseek(descriptor, position, os.SEEK_SET)
    return os.read(descriptor, 1)
