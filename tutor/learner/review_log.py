"""Store the review log in two identical files, with one line for each event.

Lines are appended, and never changed except for repairs. If one file is truncated or has flipped
bits, the other file still contains every answer. `extend` writes each line to the log first and
then to the copy, and returns when the line is on disk in both files. If the copy contains more than
the log, or if a line of the log is damaged, readers combine both files. A line that is damaged in
both files is reported once, and then marked, so that readers ignore it.
"""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from tutor.learner import disk
from tutor.learner.log_lines import (
    UNFINISHED,
    Line,
    corrected,
    damaged_runs,
    encode,
    is_damaged,
    lines_in,
    lines_of,
)
from tutor.learner.mending import lost, mended, without_damage
from tutor.learner.records import Card, LogEvent, LogMark

DAMAGED, CUT_OFF, MISSING = "is damaged", "is incomplete", "is missing"
OTHER = "does not match the log"
"""The problem to report for a copy that is intact but differs from the log.

It occurs if an older version of tutor has written only the log.
"""

_CHUNK = 1 << 20


class Examined(msgspec.Struct, frozen=True):
    """The combined contents of the two files, and the problem with each file, if any.

    `copied` is the size of the copy in bytes. If the copy is shorter than the log, it is not
    necessarily damaged: its writer may have been killed. `lost` describes the entries in lines that
    are damaged in both files. `recovered` is True if a line is intact in neither file and was
    restored.
    """

    whole: bytes
    log: str = ""
    copy: str = ""
    copied: int = 0
    lost: tuple[str, ...] = ()
    recovered: bool = False


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

        If a line is damaged or missing in the log, it is read from the copy, or corrected.
        """
        with disk.failures_in_words(self.path, "read"), self._opened() as file:
            for line in lines_of(file, start, end):
                if not line.sound and not self._copied_so(line):
                    break
                yield from self._corrected(line.start, line.end) if line.damaged else (line,)
                start = line.end
        if end is None or start < end:
            if self._copy_knows_more(start):
                whole = mended(self._bytes(self.path), self._bytes(self.copy))
                yield from lines_of(io.BytesIO(whole), start, end)
            else:
                yield from self._corrected(start)

    def _corrected(self, start: int, end: int | None = None) -> list[Line]:
        """Return the lines from byte `start` to byte `end` of the log, corrected if possible."""
        data = self._bytes(self.path, start, -1 if end is None else end - start)
        return lines_in(corrected(data), start)

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
        """Return True if the line that ends at `mark.end` is still in the log.

        It must be unchanged or unreadable.
        """
        if mark.end == 0:
            return True
        if not mark.start < mark.end <= self.size():
            return False
        for line in self.read(mark.start, mark.end):
            same = line.checksum == mark.checksum or not line.sound
            return same and line.end == mark.end
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

    def intact(self) -> bool:
        """Return True if the two files are identical and no line is damaged. All bytes are read."""
        if disk.size(self.copy) != disk.size(self.path):
            return False
        start = 0
        while chunk := self._bytes(self.path, start, _CHUNK):
            if chunk != self._bytes(self.copy, start, _CHUNK):
                return False
            start += len(chunk)
        with disk.failures_in_words(self.path, "read"), self._opened() as file:
            return next(damaged_runs(file), None) is None

    def examine(self, cards: Iterable[Card] = ()) -> Examined:
        """Return the problems with the two files, without changing the files.

        The learner's `cards` help to name lost answers.
        """
        copy, log = self._bytes(self.copy), self._bytes(self.path)
        combined = mended(log, copy)
        whole = without_damage(combined)
        problem = _problem(self.copy, copy, whole)
        intact = copy.endswith(b"\n") and not any(map(is_damaged, io.BytesIO(copy)))
        if problem == DAMAGED and intact:
            problem = OTHER
        there = {*io.BytesIO(log), *io.BytesIO(copy)}
        made = (line for line in io.BytesIO(combined) if line not in there)
        return Examined(
            whole,
            log=_problem(self.path, log, whole),
            copy=problem,
            copied=len(copy),
            lost=tuple(lost(combined, 0, cards)),
            recovered=not all(map(is_damaged, made)),
        )

    def lost(self, start: int, cards: Iterable[Card]) -> tuple[str, ...]:
        """Describe the entries that were lost in lines after byte `start`, like `examine`."""
        return tuple(lost(mended(self._bytes(self.path), self._bytes(self.copy)), start, cards))

    def mend(self, found: Examined) -> None:
        """Repair both files after `examine` has found these problems.

        A damaged log is first saved under a different name. So is a damaged copy, if a line is
        damaged in both files. Raises `StoreError` or a subclass.
        """
        if found.log:
            self._replace(self.path, found.whole, keep=self.damaged)
        if found.copy in (DAMAGED, OTHER):
            self._replace(self.copy, found.whole, keep=self.damaged_copy if found.lost else None)
        else:
            self._catch_up_copy()

    def _replace(self, path: Path, data: bytes, keep: Path | None = None) -> None:
        def keep_old(_: Path) -> None:
            if keep is not None and path.exists():
                disk.keep_copy(path, keep)

        with disk.failures_in_words(path, "saved"):
            disk.replace(path, data, keep_old)


def _problem(path: Path, data: bytes, whole: bytes) -> str:
    """Return the problem with the file `path`, or "" if its bytes are equal to `whole`."""
    if data == whole:
        return ""
    if not path.exists():
        return MISSING
    return CUT_OFF if whole.startswith(data) else DAMAGED
