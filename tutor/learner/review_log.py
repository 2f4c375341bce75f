"""Store the review log in two files, with one line for each event.

Lines are appended and never changed. The second file is a byte-for-byte copy of the first. If one
file is cut off or has flipped bits, no answer is lost as long as the other file contains it. Each
line is written to the log first and then to the copy, and is on disk in both before `extend`
returns. The copy is therefore never ahead of the log. If it is anyway, or if a line of the log is
damaged, reading combines both files.
"""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from tutor.learner import disk
from tutor.learner.log_lines import UNFINISHED, Line, encode, lines_in, lines_of
from tutor.learner.mending import mended
from tutor.learner.records import LogEvent, LogMark

DAMAGED, CUT_OFF, MISSING = "is damaged", "is incomplete", "is missing"
OTHER = "does not match the log"
"""The problem to report for a copy that is intact but does not match the log.

It occurs after an older version of tutor has updated only the log.
"""

_CHUNK = 1 << 20


class Examined(msgspec.Struct, frozen=True):
    """The combined contents of the two files, and the problem with each, if any.

    `copied` is the size of the copy in bytes. A copy that is cut off may just lack the end of the
    log because its writer was killed. `unreadable` counts the lines that are damaged in both files.
    """

    whole: bytes
    log: str = ""
    copy: str = ""
    copied: int = 0
    unreadable: int = 0


class ReviewLog:
    """The review log of a learner.

    `extend` and `mend` require the learner's lock; reading does not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.copy = path.with_name(path.name + ".copy")
        self.damaged = path.with_name(path.name + ".damaged")

    def size(self) -> int:
        """Return the size in bytes, or 0 if there is no log yet."""
        return max(disk.size(self.copy), disk.size(self.path))

    def cut_off(self) -> bool:
        """Return whether the copy is longer than the log, which only happens after damage."""
        copied = disk.size(self.copy)  # measured before the log, which may be growing
        return copied > disk.size(self.path)

    # --- writing --------------------------------------------------------------------------------

    def extend(self, events: Iterable[LogEvent]) -> None:
        """Append one line for each event, either all or none, and flush both files to disk.

        If the process is killed during the write, the first lines may remain. Raises `StoreFull`,
        `StoreReadOnly` or `StoreError`; the log is then unchanged.
        """
        lines = b"".join(map(encode, events))
        if not lines:
            return
        before = disk.size(self.path)
        if before == 0:
            disk.append(self.copy, b"")  # a log without a copy is then from an older version
        torn = before > 0 and self._bytes(self.path, before - 1) != b"\n"
        disk.append(self.path, UNFINISHED + lines if torn else lines)
        try:
            self._catch_up_copy()
        except Exception:
            disk.cut(self.path, before)
            raise

    def _catch_up_copy(self) -> None:
        """Append the part of the log that the copy does not have yet."""
        disk.append(self.copy, self._bytes(self.path, disk.size(self.copy)))

    # --- reading --------------------------------------------------------------------------------

    def read(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """Yield the complete lines from byte `start` to byte `end`, or to the end of the log.

        Damaged and missing lines are read from the copy.
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
        """Return whether the copy has the same bytes as `line`, or is too short to contain them."""
        length = line.end - line.start
        there = self._bytes(self.copy, line.start, length)
        return len(there) < length or there == self._bytes(self.path, line.start, length)

    def _copy_knows_more(self, start: int) -> bool:
        """Return whether the copy contains data after byte `start` that the log does not.

        The copy is read before the log, because a session that is saving extends the log first.
        """
        if disk.size(self.copy) <= start:
            return False
        copy = self._bytes(self.copy, start)
        return not self._bytes(self.path, start).startswith(copy)

    def contains(self, mark: LogMark) -> bool:
        """Return whether the line that ends at `mark.end` is still in the log, unchanged."""
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
        """Return whether the two files are identical, comparing all bytes."""
        if disk.size(self.copy) != disk.size(self.path):
            return False
        start = 0
        while chunk := self._bytes(self.path, start, _CHUNK):
            if chunk != self._bytes(self.copy, start, _CHUNK):
                return False
            start += len(chunk)
        return True

    def examine(self) -> Examined:
        """Return what is wrong with the two files, without changing them."""
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
            unreadable=sum(line.damaged for line in lines_in(whole)),
        )

    def mend(self) -> Examined:
        """Repair both files, save a damaged log under another name, and return what was wrong.

        Raises `StoreError` or a subclass.
        """
        found = self.examine()
        if found.log:
            self._replace(self.path, found.whole, keep=self.damaged)
        if found.copy in (DAMAGED, OTHER):
            self._replace(self.copy, found.whole)
        else:
            self._catch_up_copy()
        return found

    def _replace(self, path: Path, data: bytes, keep: Path | None = None) -> None:
        def keep_old(_: Path) -> None:
            if keep is not None and path.exists():
                disk.keep_copy(path, keep)

        with disk.failures_in_words(path, "saved"):
            disk.replace(path, data, keep_old)


def _problem(path: Path, data: bytes, whole: bytes) -> str:
    """Return the problem with the file `path`, or "" if its `data` is equal to `whole`."""
    if data == whole:
        return ""
    if not path.exists():
        return MISSING
    return CUT_OFF if whole.startswith(data) else DAMAGED
