"""The review log: one line for every event, appended and never changed, in two files.

The second file is a copy of the first, byte for byte: a file that was cut off or has bits flipped
costs no answer as long as the other one has it. A line is written in one piece to the log and then
to the copy, and is on disk in both before `extend` returns; so the copy is never ahead. Where it
is, or where a line of the log is damaged, what is read is what the two have together.
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
"""Nothing in it is damaged, but it is not this log's: an older program went on without it."""

_CHUNK = 1 << 20


class Examined(msgspec.Struct, frozen=True):
    """What the two files are together, and what is wrong with each, if anything.

    `copied` counts the bytes of the copy. One that was cut off may also never have got the end of
    the log: its writer was killed. `unreadable` counts the lines that neither file has whole.
    """

    whole: bytes
    log: str = ""
    copy: str = ""
    copied: int = 0
    unreadable: int = 0


class ReviewLog:
    """`extend` and `mend` need the learner's lock, reading does not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.copy = path.with_name(path.name + ".copy")
        self.damaged = path.with_name(path.name + ".damaged")

    def size(self) -> int:
        """Bytes; 0 when there is no log yet."""
        return max(disk.size(self.copy), disk.size(self.path))

    def cut_off(self) -> bool:
        """Whether the copy has more than the log, which nothing but damage explains."""
        copied = disk.size(self.copy)  # before the log, which may be growing
        return copied > disk.size(self.path)

    # --- writing --------------------------------------------------------------------------------

    def extend(self, events: Iterable[LogEvent]) -> None:
        """Add one line for each event, all of them or none, and wait until the disk has them
        twice. Whoever is killed within it may leave the first ones.

        Raises `StoreFull`, `StoreReadOnly` or `StoreError`; then the log is as it was before.
        """
        lines = b"".join(map(encode, events))
        if not lines:
            return
        before = disk.size(self.path)
        if before == 0:
            disk.append(self.copy, b"")  # so that one without a copy is known for an older one
        torn = before > 0 and self._bytes(self.path, before - 1) != b"\n"
        disk.append(self.path, UNFINISHED + lines if torn else lines)
        try:
            self._catch_up_copy()
        except Exception:
            disk.cut(self.path, before)
            raise

    def _catch_up_copy(self) -> None:
        """Append what the log has beyond it."""
        disk.append(self.copy, self._bytes(self.path, disk.size(self.copy)))

    # --- reading --------------------------------------------------------------------------------

    def read(self, start: int = 0, end: int | None = None) -> Iterator[Line]:
        """The complete lines from byte `start` up to `end`, or to the end of the log: those of the
        file, and what its copy has in place of damaged and missing ones."""
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
        """Whether the copy has nothing else in place of `line`."""
        length = line.end - line.start
        there = self._bytes(self.copy, line.start, length)
        return len(there) < length or there == self._bytes(self.path, line.start, length)

    def _copy_knows_more(self, start: int) -> bool:
        """Whether the copy has something from byte `start` on that the log has not. The copy is
        read first: a session that is saving makes the log longer first."""
        if disk.size(self.copy) <= start:
            return False
        copy = self._bytes(self.copy, start)
        return not self._bytes(self.path, start).startswith(copy)

    def contains(self, mark: LogMark) -> bool:
        """Whether the line that `mark` ends with is still where it was."""
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
        """Whether the two files are the same. Reads both to their end."""
        if disk.size(self.copy) != disk.size(self.path):
            return False
        start = 0
        while chunk := self._bytes(self.path, start, _CHUNK):
            if chunk != self._bytes(self.copy, start, _CHUNK):
                return False
            start += len(chunk)
        return True

    def examine(self) -> Examined:
        """What became of the two files. Changes nothing."""
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
        """Make both files what they are together, keeping a damaged log beside them. Returns what
        they were before. Raises the `StoreError` family."""
        found = self.examine()
        if found.log:
            self._replace(self.path, found.whole, keep=self.damaged)
        if found.copy in (DAMAGED, OTHER):
            self._replace(self.copy, found.whole)
        else:
            self._catch_up_copy()
        return found

    def _replace(self, path: Path, data: bytes, keep: Path | None = None) -> None:
        with disk.failures_in_words(path, "saved"):
            temporary = disk.write_temporary(path, data)
            if keep is not None and path.exists():
                disk.keep_copy(path, keep)
            disk.move(temporary, path)
            disk.sync_folder(path.parent)


def _problem(path: Path, data: bytes, whole: bytes) -> str:
    """What is wrong with the file `path`, whose `data` should be `whole`."""
    if data == whole:
        return ""
    if not path.exists():
        return MISSING
    return CUT_OFF if whole.startswith(data) else DAMAGED
