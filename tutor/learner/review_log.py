"""Store the review log in two identical files, with one line for each event.

Lines are appended and never changed. If one file is truncated or has flipped bits, the other file
still contains every answer. `extend` writes each line to the log first and then to the copy, and
returns when the line is on disk in both files. If the copy contains more than the log, or if a line
of the log is damaged, readers combine both files.
"""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from tutor.learner import disk
from tutor.learner.log_lines import UNFINISHED, Line, encode, lines_in, lines_of
from tutor.learner.mending import description, mended
from tutor.learner.records import LogEvent, LogMark

DAMAGED, CUT_OFF, MISSING = "is damaged", "is incomplete", "is missing"
OTHER = "does not match the log"
"""The problem to report for a copy that is intact but differs from the log.

It occurs if an older version of tutor has written only the log.
"""

_CHUNK = 1 << 20


class Examined(msgspec.Struct, frozen=True):
    """The combined contents of the two files, and the problem with each file, if any.

    `copied` is the size of the copy in bytes. If the copy is shorter than the log, it is not
    necessarily damaged: its writer may have been killed. `unreadable` describes the lines that are
    damaged in both files.
    """

    whole: bytes
    log: str = ""
    copy: str = ""
    copied: int = 0
    unreadable: tuple[str, ...] = ()


class ReviewLog:
    """A learner's review log. The lock is needed for `extend` and `mend`, but not for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.copy = path.with_name(path.name + ".copy")
        self.damaged = path.with_name(path.name + ".damaged")
        self.damaged_copy = path.with_name(path.name + ".copy.damaged")

    def size(self) -> int:
        """Return the size of the log in bytes, or 0 if there is no log yet."""
        return max(disk.size(self.copy), disk.size(self.path))

    def cut_off(self) -> bool:
        """Return True if the copy is longer than the log, which happens only after damage."""
        # Measure the copy first, because another session may be writing to the log.
        copied = disk.size(self.copy)
        return copied > disk.size(self.path)

    # --- writing --------------------------------------------------------------------------------

    def extend(self, events: Iterable[LogEvent]) -> None:
        """Append one line for each event, and flush both files to disk.

        If the write fails, the log stays unchanged, and `StoreFull`, `StoreReadOnly` or
        `StoreError` is raised. If the process is killed during the write, the log may contain
        some of the lines.
        """
        lines = b"".join(map(encode, events))
        if not lines:
            return
        before = disk.size(self.path)
        if before == 0:
            # The copy is created first. So if a log has no copy, an older version wrote it.
            disk.append(self.copy, b"")
        torn = before > 0 and self._bytes(self.path, before - 1) != b"\n"
        disk.append(self.path, UNFINISHED + lines if torn else lines)
        try:
            self._catch_up_copy()
        except Exception:
            disk.cut(self.path, before)
            raise

    def _catch_up_copy(self) -> None:
        """Append the part of the log that is missing from the end of the copy."""
        disk.append(self.copy, self._bytes(self.path, disk.size(self.copy)))

    # --- reading --------------------------------------------------------------------------------

    def read(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """Yield the complete lines from byte `start` to byte `end`, or to the end of the log.

        If a line is damaged or missing in the log, it is read from the copy.
        """
        with disk.failures_in_words(self.path, "read"), self._opened() as file:
            for line in lines_of(file, start, end):
                if not line.sound and not self._copied_so(line):
                    break
                yield line
                start = line.end
        if (end is None or start < end) and self._copy_knows_more(start):
            copy = self._bytes(self.copy)
            whole = mended(self._bytes(self.path), copy)
            yield from lines_of(io.BytesIO(whole), start, end)

    def _opened(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            return io.BytesIO()

    def _copied_so(self, line: Line) -> bool:
        """Return True if the copy has the same bytes as `line`, or ends before `line`."""
        length = line.end - line.start
        there = self._bytes(self.copy, line.start, length)
        return len(there) < length or there == self._bytes(self.path, line.start, length)

    def _copy_knows_more(self, start: int) -> bool:
        """Return True if the copy contains data after byte `start` that the log does not contain.

        The copy is read before the log, because a session that saves an event extends the log
        first.
        """
        if disk.size(self.copy) <= start:
            return False
        copy = self._bytes(self.copy, start)
        return not self._bytes(self.path, start).startswith(copy)

    def contains(self, mark: LogMark) -> bool:
        """Return True if the line that ends at `mark.end` is still in the log, unchanged."""
        if mark.end == 0:
            return True
        if not mark.start < mark.end <= self.size():
            return False
        for line in self.read(mark.start, mark.end):
            return (line.end, line.checksum) == (mark.end, mark.checksum)
        return False

    def _bytes(self, path: Path, start: int = 0, length: int = -1) -> bytes:
        with disk.failures_in_words(path, "read"):
            try:
                with path.open("rb") as file:
                    file.seek(start)
                    return file.read(length)
            except (FileNotFoundError, NotADirectoryError):
                return b""

    # --- checking and repairing ------------------------------------------------------------------

    def agrees(self) -> bool:
        """Return True if the two files are identical. All bytes are compared."""
        if disk.size(self.copy) != disk.size(self.path):
            return False
        start = 0
        while chunk := self._bytes(self.path, start, _CHUNK):
            if chunk != self._bytes(self.copy, start, _CHUNK):
                return False
            start += len(chunk)
        return True

    def examine(self) -> Examined:
        """Return the problems with the two files, without changing the files."""
        copy, log = self._bytes(self.copy), self._bytes(self.path)
        whole = mended(log, copy)
        problem = _problem(self.copy, copy, whole)
        intact = copy.endswith(b"\n") and not any(line.damaged for line in lines_in(copy))
        if problem == DAMAGED and intact:
            problem = OTHER
        return Examined(
            whole,
            log=_problem(self.path, log, whole),
            copy=problem,
            copied=len(copy),
            unreadable=tuple(lost(whole)),
        )

    def lost(self, start: int) -> tuple[str, ...]:
        """Describe the lines after byte `start` that are damaged in both files."""
        return tuple(lost(mended(self._bytes(self.path), self._bytes(self.copy)), start))

    def mend(self) -> Examined:
        """Repair both files, and return the problems that they had.

        A damaged log is first saved under a different name. So is a damaged copy, if a line is
        damaged in both files. Raises `StoreError` or a subclass.
        """
        found = self.examine()
        if found.log:
            self._replace(self.path, found.whole, keep=self.damaged)
        if found.copy in (DAMAGED, OTHER):
            self._replace(
                self.copy, found.whole, keep=self.damaged_copy if found.unreadable else None
            )
        else:
            self._catch_up_copy()
        return found

    def _replace(self, path: Path, data: bytes, keep: Path | None = None) -> None:
        def keep_old(_: Path) -> None:
            if keep is not None and path.exists():
                disk.keep_copy(path, keep)

        with disk.failures_in_words(path, "saved"):
            disk.replace(path, data, keep_old)


def lost(data: bytes, start: int = 0) -> Iterator[str]:
    """Yield a description of each damaged line after byte `start` of a log."""
    before = 0.0
    for line in lines_in(data):
        if line.damaged and line.start >= start:
            yield description(data[line.start : line.end], before)
        before = line.event.at if line.event is not None else before


def _problem(path: Path, data: bytes, whole: bytes) -> str:
    """Return the problem with the file `path`, or "" if its bytes are equal to `whole`."""
    if data == whole:
        return ""
    if not path.exists():
        return MISSING
    return CUT_OFF if whole.startswith(data) else DAMAGED
