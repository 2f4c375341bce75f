"""Test the review log and its copy: damage to one of them loses nothing."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from tests.learner.learner_sessions import answered, log_files, named, told
from tutor.errors import StoreError
from tutor.learner import exchange
from tutor.learner.log_lines import UNFINISHED, encode
from tutor.learner.mending import mended
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, Imported
from tutor.learner.review_log import ReviewLog

QUESTIONS = {"question-0", "question-1", "question-2"}
NOTHING_LOST = "You don't need to do anything."


def flipped(data: bytes, position: int) -> bytes:
    """Return `data` with one bit of the byte at `position` flipped, a different one each time."""
    bit = 1 << position % 8
    return data[:position] + bytes([data[position] ^ bit]) + data[position + 1 :]


def without_state(folder: Path) -> None:
    """Remove the state, so that everything must come from the log."""
    for name in ("progress.json", "progress.json.bak"):
        (folder / name).unlink()


def mends(folder: Path, data: bytes) -> str:
    """Open and check a folder whose log was `data` and must be restored. Return the notices."""
    progress = Progress.open(folder)
    assert set(progress.cards()) == QUESTIONS
    answers = [event for event in progress.events() if isinstance(event, Answered)]
    assert [event.question for event in answers] == sorted(QUESTIONS)
    assert len(answers) == len(progress.events())
    progress.check()
    assert [file.read_bytes() for file in log_files(folder)] == [data, data]
    again = Progress.open(folder)
    again.check()
    assert again.notices == []
    assert {card.answers for card in again.cards().values()} == {1}
    return told(progress)


def test_every_line_is_in_both_before_it_counts_as_saved(filled: Path) -> None:
    log, copy = log_files(filled)
    assert log.read_bytes() == copy.read_bytes() != b""
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_log_cut_off_anywhere_is_restored(filled: Path) -> None:
    log, _ = log_files(filled)
    data = log.read_bytes()
    for length in range(0, len(data), 29):
        log.write_bytes(data[:length])
        assert mends(filled, data) == (
            f"Saved progress was repaired: {log} is incomplete. Nothing is lost: its copy, "
            "reviews.log.copy, is complete. The damaged file was saved as reviews.log.damaged. "
            + NOTHING_LOST
        )
        assert (filled / "reviews.log.damaged").read_bytes() == data[:length]


def test_a_flipped_bit_of_the_log_is_restored_even_without_the_state(filled: Path) -> None:
    log, _ = log_files(filled)
    data = log.read_bytes()
    without_state(filled)
    for position in (*range(0, len(data), 5), len(data) - 1):
        log.write_bytes(flipped(data, position))
        progress = Progress.open(filled)
        assert set(progress.cards()) == QUESTIONS
        progress.check()
        assert log.read_bytes() == data
        assert f"{log} is damaged. Nothing is lost" in told(progress)


def test_a_missing_log_is_restored_without_the_state(filled: Path) -> None:
    log, _ = log_files(filled)
    data = log.read_bytes()
    log.unlink()
    without_state(filled)
    progress = Progress.open(filled)
    assert set(progress.cards()) == QUESTIONS
    progress.check()
    assert log.read_bytes() == data
    assert f"{log} is missing. Nothing is lost: its copy" in told(progress)


@pytest.mark.parametrize("what", ["cut off", "flipped", "missing"])
def test_a_damaged_copy_is_restored(filled: Path, what: str) -> None:
    _, copy = log_files(filled)
    data = copy.read_bytes()
    if what == "missing":
        copy.unlink()
    else:
        copy.write_bytes(data[:150] if what == "cut off" else flipped(data, 150))
    problem = {"cut off": "is incomplete", "flipped": "is damaged", "missing": "is missing"}[what]
    assert mends(filled, data) == (
        f"Saved progress was repaired: {copy} {problem}. Nothing is lost: it was restored "
        f"from reviews.log. {NOTHING_LOST}"
    )


def test_two_logs_damaged_at_different_lines_make_a_complete_log(filled: Path) -> None:
    log, copy = log_files(filled)
    data = log.read_bytes()
    log.write_bytes(flipped(data, 20))
    copy.write_bytes(flipped(data, len(data) - 20))
    without_state(filled)
    progress = Progress.open(filled)
    assert set(progress.cards()) == QUESTIONS
    progress.check()
    assert log.read_bytes() == copy.read_bytes() == data
    assert f"{log} is damaged. Nothing is lost" in told(progress)
    assert f"{copy} is damaged. Nothing is lost" in told(progress)


def test_a_line_damaged_at_different_places_of_both_files_is_restored(filled: Path) -> None:
    log, copy = log_files(filled)
    data = log.read_bytes()
    log.write_bytes(flipped(flipped(data, 20), len(data) - 20))
    copy.write_bytes(flipped(data, 21))
    progress = Progress.open(filled)
    progress.check()
    assert "Nothing is lost: between them, the two copies are complete." in told(progress)
    assert log.read_bytes() == copy.read_bytes() == data


def test_lines_damaged_in_both_files_are_named(filled: Path) -> None:
    log, copy = log_files(filled)
    data = log.read_bytes()
    wrong = b"########" + data[8:20] + b"####" + data[24:]
    log.write_bytes(flipped(wrong, len(data) - 20))
    copy.write_bytes(wrong)
    progress = Progress.open(filled)
    progress.check()
    assert f"{log} is damaged. Its copy, reviews.log.copy, contains everything except" in told(
        progress
    )
    assert "1 line. Lost: an answer to the question question-0 from 1970-01-12" in told(progress)
    assert set(progress.cards()) == QUESTIONS  # the state still has them


def test_a_line_damaged_differently_in_both_files_is_named(filled: Path) -> None:
    """No other line is damaged, so the log stays as it is, and only the copy is replaced."""
    log, copy = log_files(filled)
    data = log.read_bytes()
    place = data.index(b'"attempt"')
    log.write_bytes(data[:place] + b"####" + data[place + 4 :])
    copy.write_bytes(wrong := data[:place] + b"++++" + data[place + 4 :])
    progress = Progress.open(filled)
    progress.check()
    when = datetime.fromtimestamp(1_000_000).isoformat(" ", "minutes")
    assert told(progress) == (
        f"Saved progress was repaired: {copy} is damaged. It was restored from reviews.log, which "
        "contains everything except for 1 line. Lost: an answer to the question question-0 from "
        f"{when}. The damaged file was saved as reviews.log.copy.damaged. You may be asked some "
        "questions again."
    )
    assert log.read_bytes() == copy.read_bytes()
    assert copy.with_name("reviews.log.copy.damaged").read_bytes() == wrong


def test_saving_first_repairs_a_log_that_was_cut_off(filled: Path) -> None:
    """The damage happens during a session, so no check has seen it."""
    log, copy = log_files(filled)
    data = log.read_bytes()
    progress = Progress.open(filled)
    log.write_bytes(data[:100])
    progress.record(answered(3))
    assert log.read_bytes().startswith(data)
    assert log.read_bytes() == copy.read_bytes()
    assert f"{log} is incomplete." in told(progress)
    assert set(Progress.open(filled).cards()) == {*QUESTIONS, "question-3"}


def test_a_cut_log_and_its_own_export_count_every_answer_once(filled: Path) -> None:
    log, _ = log_files(filled)
    exported = filled.parent / "export.json"
    exported.write_bytes(msgspec.json.encode(exchange.export(Progress.open(filled))))
    log.write_bytes(log.read_bytes()[:250])
    for _ in range(2):
        progress = Progress.open(filled)
        exchange.merge(progress, [exchange.read(exported, progress.clock())])
        assert {card.answers for card in Progress.open(filled).cards().values()} == {1}
        assert len(progress.events()) == 3


def test_a_log_without_a_copy_gets_one_without_a_notice(folder: Path) -> None:
    folder.mkdir(parents=True)
    log, copy = log_files(folder)
    log.write_bytes(encode(named(0)) + encode(named(1)))
    progress = Progress.open(folder)
    progress.check()
    assert copy.read_bytes() == log.read_bytes()
    assert str(copy) not in told(progress)
    progress.record(named(2))
    assert copy.read_bytes() == log.read_bytes()


def test_lines_missing_in_the_copy_are_added_without_a_notice(filled: Path) -> None:
    """A session was killed between the two writes, or an older version wrote only the log."""
    log, copy = log_files(filled)
    with log.open("ab") as file:
        file.write(encode(named(3)) + encode(named(4))[:40])
    progress = Progress.open(filled)
    progress.check()
    assert log.read_bytes() == copy.read_bytes()
    progress.record(named(5))
    assert set(progress.cards()) == {*QUESTIONS, "question-3", "question-5"}
    assert log.read_bytes() == copy.read_bytes()
    assert told(progress) == ""


def test_an_older_version_used_after_the_damage_loses_neither_side(filled: Path) -> None:
    log, copy = log_files(filled)
    data = log.read_bytes()
    log.write_bytes(data[:300] + UNFINISHED + encode(named(7)))
    without_state(filled)
    progress = Progress.open(filled)
    expected = {*QUESTIONS, "question-7"}
    assert set(progress.cards()) == expected
    progress.check()
    assert log.read_bytes() == copy.read_bytes()
    again = Progress.open(filled)
    assert {key: card.answers for key, card in again.cards().items()} == dict.fromkeys(expected, 1)
    assert f"{log} is incomplete. Nothing is lost" in told(progress)
    assert f"{copy} is" not in told(progress)


def test_an_answer_that_cannot_be_copied_is_not_saved_at_all(filled: Path) -> None:
    log, copy = log_files(filled)
    data = log.read_bytes()
    progress = Progress.open(filled)
    copy.unlink()
    copy.mkdir()
    with pytest.raises(StoreError, match=r"reviews\.log\.copy could not be"):
        progress.record(answered(3))
    assert log.read_bytes() == data
    copy.rmdir()
    progress.record(answered(3))
    assert log.read_bytes() == copy.read_bytes()


def test_a_line_of_a_newer_version_is_restored_too() -> None:
    import zlib

    body = b'{"event":"dreamt","at":1.0,"of":"electric sheep"}'
    line = b"%08x " % zlib.crc32(body) + body + b"\n"
    whole = encode(named(0)) + line + encode(named(1))
    for length in range(len(whole)):
        assert mended(whole[:length], whole) == whole
    other = encode(named(9)) + encode(named(8)) + encode(named(7))
    both = mended(other, whole)
    assert both.startswith(other)
    assert both.endswith(line)
    assert mended(both, whole) == mended(both, both) == both


def test_a_log_of_another_history_gets_the_other_lines_as_an_import(
    tmp_path: Path,
) -> None:
    log = ReviewLog(tmp_path / "reviews.log")
    log.path.write_bytes(b"".join(encode(named(number)) for number in (5, 0)))
    log.copy.write_bytes(b"".join(encode(named(number)) for number in (0, 1, 2)))
    log.mend()
    events = [line.event for line in log.read() if not isinstance(line.event, Imported)]
    assert len(events) == 4
    assert {event.id for event in events if event} == {
        f"answer-{number}" for number in (5, 0, 1, 2)
    }
    before = log.path.read_bytes()
    log.mend()
    assert log.path.read_bytes() == log.copy.read_bytes() == before


def test_an_older_copy_of_the_whole_folder_can_be_restored(filled: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(filled, backup)
    Progress.open(filled).record(answered(3))
    shutil.rmtree(filled)
    shutil.copytree(backup, filled)
    progress = Progress.open(filled)
    progress.check()
    assert set(progress.cards()) == QUESTIONS
    assert told(progress) == ""
