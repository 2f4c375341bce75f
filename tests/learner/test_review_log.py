"""Test the lines of the review log, intact and damaged."""

from __future__ import annotations

import zlib
from datetime import datetime
from pathlib import Path

import pytest

from tests.learner.learner_sessions import answered, log_files, named, run_session, told
from tutor.errors import StoreError
from tutor.learner.log_lines import corrected, decode, encode, is_damaged
from tutor.learner.mending import lost
from tutor.learner.progress import Progress
from tutor.learner.records import LogMark
from tutor.learner.review_log import ReviewLog


@pytest.fixture
def log(tmp_path: Path) -> ReviewLog:
    return ReviewLog(tmp_path / "reviews.log")


def events(log: ReviewLog) -> list[object]:
    return [line.event for line in log.read() if line.event is not None]


def test_events_are_read_in_order(log: ReviewLog) -> None:
    written = [named(number) for number in range(5)]
    for event in written:
        log.extend([event])
    assert events(log) == written


def test_a_line_is_its_checksum_and_its_json() -> None:
    line = encode(named(1))
    checksum, body = line[:8], line[9:-1]
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert int(checksum, 16) == zlib.crc32(body)
    assert decode(line, 0).event == named(1)


def test_one_flipped_bit_is_noticed_and_corrected() -> None:
    line = encode(named(1))
    for position in range(len(line) - 1):
        for bit in range(8):
            changed = bytearray(line)
            changed[position] ^= 1 << bit
            assert is_damaged(bytes(changed)), changed
            assert decode(bytes(changed), 0).damaged
            assert corrected(bytes(changed)) == line


def test_a_damaged_line_is_never_corrected_beyond_one_bit_or_its_newline() -> None:
    line = encode(named(1))
    for position in range(len(line) - 2):
        changed = bytearray(line)
        changed[position] ^= 3
        assert corrected(bytes(changed)) == bytes(changed)


def test_a_long_line_with_a_flipped_bit_is_corrected_where_the_table_reaches() -> None:
    body = b'{"event":"dreamt","at":1.0,"of":"' + b"electric sheep " * 100 + b'"}'
    line = b"%08x " % zlib.crc32(body) + body + b"\n"
    near, far = bytearray(line), bytearray(line)
    near[-1000] ^= 4
    far[10] ^= 4
    assert corrected(bytes(near)) == line
    assert corrected(bytes(far)) == bytes(far)


def test_an_incomplete_last_line_is_skipped(log: ReviewLog) -> None:
    """A killed writer leaves any beginning of a line; the next writer ends that line."""
    log.extend([named(0)])
    whole, line = log.path.read_bytes(), encode(named(1))
    for length in range(1, len(line)):
        log.path.write_bytes(whole + line[:length])
        log.copy.write_bytes(whole)
        assert events(log) == [named(0)]
        log.extend([named(2)])
        assert events(log) == [named(0), named(2)]
        assert not any(line.damaged for line in log.read())
        assert log.intact()


def test_an_incomplete_last_line_leaves_no_notice(filled: Path) -> None:
    with (filled / "reviews.log").open("ab") as file:
        file.write(encode(answered(3))[:40])
    progress = Progress.open(filled)
    progress.record(answered(4))
    assert set(progress.cards()) == {f"question-{number}" for number in (0, 1, 2, 4)}
    assert told(Progress.open(filled)) == told(progress) == ""


def damage(folder: Path, *wrong: bytes) -> None:
    """Replace a word of the second line in the log and in its copy, and remove the state."""
    for file, word in zip(log_files(folder), wrong, strict=True):
        lines = file.read_bytes().splitlines(keepends=True)
        lines[1] = lines[1].replace(b"true", word)
        file.write_bytes(b"".join(lines))
    for name in ("progress.json", "progress.json.bak"):
        (folder / name).unlink()


@pytest.mark.parametrize("wrong", [(b"tru3", b"tr7e"), (b"tsue", b"####"), (b"####", b"trug")])
def test_a_line_damaged_in_both_copies_is_restored_from_both(
    filled: Path, wrong: tuple[bytes, bytes]
) -> None:
    """The damage is at different places, or one copy has only one wrong bit."""
    path, copy = log_files(filled)
    before = path.read_bytes()
    damage(filled, *wrong)
    progress = Progress.open(filled)
    assert set(progress.cards()) == {"question-0", "question-1", "question-2"}
    progress.check()
    assert path.read_bytes() == copy.read_bytes() == before


def test_a_line_that_is_lost_in_both_copies_is_named(filled: Path) -> None:
    path, _ = log_files(filled)
    damage(filled, b"fals", b"fals")
    progress = Progress.open(filled)
    assert set(progress.cards()) == {"question-0", "question-2"}
    when = datetime.fromtimestamp(1_000_001).isoformat(" ", "minutes")
    assert (
        f"Part of {path} cannot be read, not even in its copy, and is ignored. "
        f"Lost: an answer to the question question-1 from {when}. "
        "You may be asked some questions again." in told(progress)
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"########", "an answer to an unknown question, later than 1970-01-12"),
        (b'"event":"suspended","question":"a"', "an entry (suspended) about the question a"),
        (b'"question":"a\x1b]0;x"', "an answer to the question a\u241b]0;x, later than"),
        (b'"at":99999999999.0,"question":"a"', "an answer to the question a from 5138-"),
    ],
)
def test_what_a_damaged_line_contained_is_said_as_far_as_possible(line: bytes, said: str) -> None:
    data = encode(named(0)) + line + bytes(20) + b"\n" + encode(named(1))
    assert next(lost(data)).startswith(said)


def test_lines_of_a_newer_version_are_kept_and_skipped(filled: Path) -> None:
    path = filled / "reviews.log"
    body = b'{"event":"dreamt","at":1.0,"of":"electric sheep"}'
    newer = f"{zlib.crc32(body):08x} ".encode() + body + b"\n"
    with path.open("ab") as file:
        file.write(newer)
    progress = Progress.open(filled)
    progress.record(answered(3))
    assert len(progress.cards()) == 4
    assert told(progress) == ""
    assert newer in path.read_bytes()


def test_a_newer_version_processes_lines_that_an_older_one_skipped(filled: Path) -> None:
    """The state was saved by a version that did not know a line, simulated by `unknown`.

    Its mark is beyond the line, and the line's position is recorded.
    """
    path = filled / "reviews.log"
    skipped_at = path.stat().st_size
    with path.open("ab") as file:
        file.write(encode(answered(3)))
    old_program = """
import sys
from pathlib import Path
import msgspec
from tutor.learner import log_lines
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, LabDone

log_lines._decoder = msgspec.json.Decoder(LabDone)  # the only kind it knows
progress = Progress.open(Path(sys.argv[1]))
progress.record(LabDone(at=1.0, lab="lab", lesson="l"))
print(sorted(progress.cards()))
"""
    assert run_session(old_program, filled).strip() == str(
        ["question-0", "question-1", "question-2"]
    )
    saved = (filled / "progress.json").read_text()
    assert f'"skipped":[{skipped_at}]' in saved
    progress = Progress.open(filled)
    assert set(progress.cards()) == {f"question-{number}" for number in range(4)}
    progress.record(answered(4))
    assert '"skipped":[]' in (filled / "progress.json").read_text()
    assert [card.answers for card in Progress.open(filled).cards().values()] == [1] * 5


def test_opening_reads_only_what_is_new(filled: Path) -> None:
    """If the beginning of the log were read again, its damage would be noticed."""
    path = filled / "reviews.log"
    data = path.read_bytes()
    first, rest = data.split(b"\n", 1)
    path.write_bytes(b"x" * len(first) + b"\n" + rest + encode(answered(3)))
    progress = Progress.open(filled)
    assert len(progress.cards()) == 4
    assert told(progress) == ""


def test_a_mark_recognizes_its_log(log: ReviewLog) -> None:
    log.extend([answered(1)])
    (line,) = log.read()
    mark = LogMark(start=line.start, end=line.end, checksum=line.checksum)
    assert log.contains(mark)
    log.copy.unlink()
    log.path.write_bytes(encode(answered(2)))
    assert not log.contains(mark)
    log.path.write_bytes(b"")
    assert not log.contains(mark)
    log.path.unlink()
    assert not log.contains(mark)
    assert log.contains(LogMark())


def test_the_log_is_only_ever_extended(filled: Path) -> None:
    path = filled / "reviews.log"
    before, inode = path.read_bytes(), path.stat().st_ino
    Progress.open(filled).record(answered(3))
    assert path.read_bytes().startswith(before)
    assert path.stat().st_ino == inode


def test_a_line_that_cannot_be_copied_is_removed_from_the_log(log: ReviewLog) -> None:
    log.extend([named(1)])
    log.copy.unlink()
    log.copy.mkdir()
    before = log.path.read_bytes()
    with pytest.raises(StoreError):
        log.extend([named(2)])
    assert log.path.read_bytes() == before


def test_both_files_are_checked_to_their_ends(log: ReviewLog) -> None:
    lines = encode(named(0)) * 10_000  # more than are read at a time
    log.path.write_bytes(lines)
    log.copy.write_bytes(lines)
    assert log.intact()
    wrong = lines[:-3] + b"##\n"
    log.copy.write_bytes(wrong)
    assert not log.intact()
    log.path.write_bytes(wrong)
    assert not log.intact()
    log.path.write_bytes(lines)
    assert not log.intact()
