"""The review log: one line for every event, appended and never changed, in two files.

The second file is a byte-for-byte copy of the first: if a file is cut off or has flipped bits, no
answer is lost as long as the other file has it. A line is written at once, first to the log and
then to the copy, and is on disk in both before `extend` returns. So the copy is never ahead. If it
is, or if a line of the log is damaged, reading combines the two.
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

DAMAGED, CUT_OFF, MISSING = "is damaged", "was cut off", "is missing"
OTHER = "is another one"
"""The file is intact but does not match the log, because an older version updated only the log."""

_CHUNK = 1 << 20


class Examined(msgspec.Struct, frozen=True):
    """The two files combined, and what is wrong with each, if anything.

    `copied` counts the bytes of the copy. A copy that is cut off may also just lack the end of
    the log, because its writer was killed. `unreadable` counts the lines that are damaged in
    both files.
    """

    whole: bytes
    log: str = ""
    copy: str = ""
    copied: int = 0
    unreadable: int = 0


class ReviewLog:
    """The review log of a learner.

    `extend` and `mend` need the learner's lock; reading does not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.copy = path.with_name(path.name + ".copy")
        self.damaged = path.with_name(path.name + ".damaged")

    def size(self) -> int:
        """Return the size in bytes; 0 if there is no log yet."""
        return max(disk.size(self.copy), disk.size(self.path))

    def cut_off(self) -> bool:
        """Return whether the copy is longer than the log, which only damage can explain."""
        copied = disk.size(self.copy)  # before the log, which may be growing
        return copied > disk.size(self.path)

    # --- writing --------------------------------------------------------------------------------

    def extend(self, events: Iterable[LogEvent]) -> None:
        """Append one line for each event, all or none, and wait until both files are on disk.

        If the process is killed in the middle, the first lines may remain. Raises
        `StoreFull`, `StoreReadOnly` or `StoreError`; the log is then unchanged.
        """
        lines = b"".join(map(encode, events))
        if not lines:
            return
        before = disk.size(self.path)
        if before == 0:
            disk.append(
                self.copy, b""
            )  # so that a log without a copy must be from an older version
        torn = before > 0 and self._bytes(self.path, before - 1) != b"\n"
        disk.append(self.path, UNFINISHED + lines if torn else lines)
        try:
            self._catch_up_copy()
        except Exception:
            disk.cut(self.path, before)
            raise

    def _catch_up_copy(self) -> None:
        """Append what the log has beyond the copy."""
        disk.append(self.copy, self._bytes(self.path, disk.size(self.copy)))

    # --- reading --------------------------------------------------------------------------------

    def read(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """Yield the complete lines from byte `start` up to `end`, or to the end of the log.

        Damaged and missing lines are taken from the copy.
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
        """Return whether the copy has the same bytes as `line`, or does not reach that far."""
        length = line.end - line.start
        there = self._bytes(self.copy, line.start, length)
        return len(there) < length or there == self._bytes(self.path, line.start, length)

    def _copy_knows_more(self, start: int) -> bool:
        """Return whether the copy has something beyond byte `start` that the log has not.

        The copy is read first, because a session that is saving extends the log first.
        """
        if disk.size(self.copy) <= start:
            return False
        copy = self._bytes(self.copy, start)
        return not self._bytes(self.path, start).startswith(copy)

    def contains(self, mark: LogMark) -> bool:
        """Return whether the line that `mark` ends with is still in its place."""
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

    # --- looking after both ---------------------------------------------------------------------

    def agrees(self) -> bool:
        """Return whether the two files are the same, reading both completely."""
        if disk.size(self.copy) != disk.size(self.path):
            return False
        start = 0
        while chunk := self._bytes(self.path, start, _CHUNK):
            if chunk != self._bytes(self.copy, start, _CHUNK):
                return False
            start += len(chunk)
        return True

    def examine(self) -> Examined:
        """Return what is wrong with the two files. Changes nothing."""
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
        """Repair both files, keep a damaged log beside them, and return what was wrong.

        Raises the `StoreError` family.
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
    """Return what is wrong with the file `path`, whose `data` should be `whole`."""
    if data == whole:
        return ""
    if not path.exists():
        return MISSING
    return CUT_OFF if whole.startswith(data) else DAMAGED
