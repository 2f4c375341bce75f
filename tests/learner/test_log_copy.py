"""Test the review log and its copy: damage to one of them loses nothing."""

from __future__ import annotations

import shutil
import zlib
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from tests.learner.learner_sessions import answered, log_files, named, told
from tutor.errors import StoreError
from tutor.learner import exchange, mending
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
    assert (
        f"Part of {log} cannot be read, not even in its copy, and is ignored. Lost: an answer to "
        "the question question-0 from 1970-01-12" in told(progress)
    )
    assert set(progress.cards()) == QUESTIONS  # the state still has them


def overwritten(data: bytes, old: bytes, new: bytes, number: int) -> bytes:
    """Return `data` with `old` overwritten with `new` in the line with this index."""
    lines = data.splitlines(keepends=True)
    assert old in lines[number]
    assert len(old) == len(new)
    lines[number] = lines[number].replace(old, new)
    return b"".join(lines)


def both(folder: Path, data: bytes) -> None:
    """Write `data` to both files."""
    for file in log_files(folder):
        file.write_bytes(data)


@pytest.mark.parametrize("alike", [True, False])
def test_a_line_damaged_in_both_files_is_named_once(filled: Path, alike: bool) -> None:
    log, copy = log_files(filled)
    data = log.read_bytes()
    log.write_bytes(wrong := overwritten(data, b'"attempt"', b'"att####"', 0))
    copy.write_bytes(wrong if alike else overwritten(data, b'"attempt"', b'"att++++"', 0))
    progress = Progress.open(filled)
    assert told(progress) == ""  # opening reads only new lines
    progress.check()
    when = datetime.fromtimestamp(1_000_000).isoformat(" ", "minutes")
    assert told(progress) == (
        f"Saved progress was repaired: Part of {log} cannot be read, not even in its copy, and is "
        f"ignored. Lost: an answer to the question question-0 from {when}. You may be asked some "
        "questions again."
    )
    assert log.read_bytes() == copy.read_bytes()
    assert len(log.read_bytes()) == len(data)
    assert log.with_name("reviews.log.damaged").read_bytes() == wrong
    assert copy.with_name("reviews.log.copy.damaged").exists()
    again = Progress.open(filled)
    again.check()
    assert again.notices == []
    assert set(again.cards()) == QUESTIONS  # the state still has them
    again.record(answered(3))
    assert [event.question for event in again.events() if isinstance(event, Answered)] == [
        "question-1",
        "question-2",
        "question-3",
    ]


def test_a_bit_flipped_alike_in_both_files_is_restored(filled: Path) -> None:
    log, copy = log_files(filled)
    data = log.read_bytes()
    for position in range(0, len(data), 3):
        if data[position : position + 1] != b"\n":
            log.write_bytes(flipped(data, position))
            copy.write_bytes(flipped(data, position))
            assert "Nothing is lost: between them, the two copies are complete." in mends(
                filled, data
            )


def test_a_bit_flipped_alike_in_both_files_is_restored_without_the_state(filled: Path) -> None:
    log, copy = log_files(filled)
    log.write_bytes(flipped(log.read_bytes(), 150))
    copy.write_bytes(log.read_bytes())
    without_state(filled)
    assert set(Progress.open(filled).cards()) == QUESTIONS


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_line_without_a_question_is_named_by_the_state(filled: Path, number: int) -> None:
    log, copy = log_files(filled)
    lines = log.read_bytes().splitlines(keepends=True)
    lines[number] = bytes(len(lines[number]) - 1) + b"\n"
    log.write_bytes(b"".join(lines))
    copy.write_bytes(b"".join(lines))
    progress = Progress.open(filled)
    progress.check()
    assert f"Lost: probably an answer to the question question-{number} from 1970-01-12" in told(
        progress
    )


@pytest.mark.parametrize(("first", "second"), [(0, 2), (0, 1), (2, 1)])
def test_an_answer_that_was_lost_earlier_is_not_named_again(
    filled: Path, first: int, second: int
) -> None:
    for number in (first, second):
        lines = log_files(filled)[0].read_bytes().splitlines(keepends=True)
        lines[number] = bytes(len(lines[number]) - 1) + b"\n"
        both(filled, b"".join(lines))
        progress = Progress.open(filled)
        progress.check()
        assert told(progress).count("an answer to") == 1
    assert f"question-{first}" not in told(progress)


def test_nothing_is_named_by_a_state_that_knows_more_than_the_log(filled: Path) -> None:
    for file in log_files(filled):
        file.unlink()
    progress = Progress.open(filled)
    progress.record(answered(3))
    progress.record(answered(4))
    first, second = log_files(filled)[0].read_bytes().splitlines(keepends=True)
    both(filled, bytes(len(first) - 1) + b"\n" + second)
    progress = Progress.open(filled)
    progress.check()
    assert "Lost: an answer to an unknown question. " in told(progress)


def test_every_unreadable_line_is_counted(filled: Path) -> None:
    """Question 0 was answered again later, so the state does not tell about its first answer."""
    Progress.open(filled).record(answered(9, question="question-0"))
    lines = log_files(filled)[0].read_bytes().splitlines(keepends=True)
    both(filled, b"".join([*(bytes(len(each) - 1) + b"\n" for each in lines[:2]), *lines[2:]]))
    progress = Progress.open(filled)
    progress.check()
    assert "probably an answer to the question question-1 from" in told(progress)
    assert "; an answer to an unknown question." in told(progress)


def test_an_answer_that_a_line_names_is_not_named_for_the_next_line_too(filled: Path) -> None:
    log, copy = log_files(filled)
    first, second, third = log.read_bytes().splitlines(keepends=True)
    first = first.replace(b'"attempt"', b'"att####"')
    wrong = first + bytes(len(second) - 1) + b"\n" + third
    log.write_bytes(wrong)
    copy.write_bytes(wrong)
    progress = Progress.open(filled)
    progress.check()
    assert told(progress).count("question-0") == told(progress).count("question-1") == 1


def test_lines_that_were_overwritten_together_are_all_named(filled: Path) -> None:
    """The newline between them is gone too, and all of the first line or only its end."""
    data = log_files(filled)[0].read_bytes()
    first, second, third = data.splitlines(keepends=True)
    wrong = first[:20] + bytes(len(first) + len(second) - 40) + second[-20:] + third
    both(filled, wrong)
    progress = Progress.open(filled)
    progress.check()
    said = told(progress)
    assert "probably an answer to the question question-0 from" in said
    assert "probably an answer to the question question-1 from" in said
    assert "question-2" not in said


def test_the_ends_of_two_lines_that_were_overwritten_are_both_named(filled: Path) -> None:
    data = log_files(filled)[0].read_bytes()
    newline = data.index(b"\n")
    both(filled, data[: newline - 9] + bytes(18) + data[newline + 9 :])
    progress = Progress.open(filled)
    progress.check()
    said = told(progress)
    assert "an answer to the question question-0" in said
    assert "an answer to the question question-1" in said
    assert "question-2" not in said


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_line_overwritten_with_newlines_is_noticed(filled: Path, number: int) -> None:
    data = log_files(filled)[0].read_bytes()
    lines = data.splitlines(keepends=True)
    lines[number] = b"\n" * len(lines[number])
    both(filled, b"".join(lines))
    progress = Progress.open(filled)
    progress.check()
    assert told(progress).count("an answer to") == 1
    assert f"probably an answer to the question question-{number}" in told(progress)
    assert log_files(filled)[0].stat().st_size == len(data)
    again = Progress.open(filled)
    again.check()
    assert again.notices == []


def test_an_inserted_empty_line_is_no_damage(filled: Path) -> None:
    data = log_files(filled)[0].read_bytes()
    both(filled, data.replace(b"\n", b"\n\n", 1))
    progress = Progress.open(filled)
    progress.check()
    assert set(progress.cards()) == QUESTIONS
    without_state(filled)
    progress = Progress.open(filled)
    assert set(progress.cards()) == QUESTIONS
    assert "cannot be read, not even" not in told(progress)


@pytest.mark.parametrize("wrong", [b"#", b"\x0b", b" "])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_damaged_newline_is_restored(filled: Path, number: int, wrong: bytes) -> None:
    data = log_files(filled)[0].read_bytes()
    lines = data.splitlines(keepends=True)
    lines[number] = lines[number][:-1] + wrong
    both(filled, b"".join(lines))
    assert "Nothing is lost" in mends(filled, data)


def test_a_damaged_newline_before_an_unfinished_line_is_restored(filled: Path) -> None:
    data = log_files(filled)[0].read_bytes() + b"12345678" + UNFINISHED
    both(filled, data)
    assert mends(filled, data) == ""
    both(filled, data.replace(b"}\n12345678", b"}#12345678"))
    assert "Nothing is lost" in mends(filled, data)


def test_an_unacknowledged_line_is_not_restored(filled: Path) -> None:
    """Its writer was killed when only the newline was missing."""
    data = log_files(filled)[0].read_bytes()
    both(filled, data + encode(named(3))[:-1] + UNFINISHED)
    assert mends(filled, data + encode(named(3))[:-1] + UNFINISHED) == ""


def test_neighboring_damaged_newlines_are_restored(filled: Path) -> None:
    data = log_files(filled)[0].read_bytes()
    both(filled, data.replace(b"\n", b"#"))
    assert "Nothing is lost" in mends(filled, data)


def test_an_intact_line_after_a_damaged_one_and_its_newline_is_kept(filled: Path) -> None:
    data = log_files(filled)[0].read_bytes()
    both(filled, overwritten(data, b'"attempt"', b'"att####"', 0).replace(b"\n", b"#", 1))
    progress = Progress.open(filled)
    progress.check()
    assert "an answer to the question question-0" in told(progress)
    assert "question-1" not in told(progress)
    without_state(filled)
    assert set(Progress.open(filled).cards()) == {"question-1", "question-2"}


def test_a_log_that_lacks_a_byte_is_restored_from_its_copy(filled: Path) -> None:
    log, copy = log_files(filled)
    data = log.read_bytes()
    for position in range(0, len(data), 7):
        log.write_bytes(data[:position] + data[position + 1 :])
        progress = Progress.open(filled)
        progress.check()
        assert log.read_bytes() == copy.read_bytes() == data
        assert "Lost" not in told(progress)


def test_a_cut_log_is_completed_from_a_copy_with_a_flipped_bit(filled: Path) -> None:
    log, copy = log_files(filled)
    data = log.read_bytes()
    for length in (0, 100, data.index(b"\n") + 1):
        log.write_bytes(data[:length])
        copy.write_bytes(flipped(data, len(data) - 50))
        assert "Nothing is lost" in mends(filled, data)


def test_a_copy_that_is_all_there_is_and_damaged_is_kept_and_named(filled: Path) -> None:
    log, copy = log_files(filled)
    wrong = copy.read_bytes().replace(b'"attempt"', b'"att####"')
    copy.write_bytes(wrong)
    log.unlink()
    progress = Progress.open(filled)
    progress.check()
    assert told(progress).count("an answer to the question question-") == 3
    assert copy.with_name("reviews.log.copy.damaged").read_bytes() == wrong
    assert set(progress.cards()) == QUESTIONS


def test_a_lost_answer_still_counts_after_the_state_was_rebuilt(
    filled: Path, tmp_path: Path
) -> None:
    """A later repair rebuilds the state, and so does an import."""
    other = Progress.open(tmp_path / "other")
    other.record(answered(-5))
    exported = tmp_path / "export.json"
    exported.write_bytes(msgspec.json.encode(exchange.export(other)))
    data = log_files(filled)[0].read_bytes()
    both(filled, overwritten(data, b'"attempt"', b'"att####"', 0))
    Progress.open(filled).check()
    both(filled, flipped(log_files(filled)[0].read_bytes(), data.index(b"\n") + 60))
    progress = Progress.open(filled)
    progress.check()
    assert "Nothing is lost" in told(progress)
    assert set(progress.cards()) == QUESTIONS
    exchange.merge(progress, [exchange.read(exported, progress.clock())])
    assert set(Progress.open(filled).cards()) == {*QUESTIONS, "question--5"}


def test_an_unreadable_last_line_is_not_taken_for_a_missing_one(filled: Path) -> None:
    lines = log_files(filled)[0].read_bytes().splitlines(keepends=True)
    both(filled, b"".join([*lines[:2], bytes(len(lines[2]) - 1) + b"\n"]))
    for _ in range(2):
        progress = Progress.open(filled)
        progress.check()
        assert "missing" not in told(progress)
        assert not progress.state().mark.partial


def test_a_repair_reaches_a_state_that_was_saved_without_the_line(filled: Path) -> None:
    """Older versions skipped a line with the same flipped bit in both files."""
    data = log_files(filled)[0].read_bytes()
    without_state(filled)
    both(filled, overwritten(data, b'"attempt"', b'"att####"', 1))
    Progress.open(filled).record(answered(3))
    after = log_files(filled)[0].read_bytes()[len(data) :]
    assert "question-1" not in Progress.open(filled).cards()
    both(filled, flipped(data, data.index(b"\n") + 60) + after)
    progress = Progress.open(filled)
    progress.check()
    assert set(progress.cards()) == {*QUESTIONS, "question-3"}
    assert set(Progress.open(filled).cards()) == {*QUESTIONS, "question-3"}


def test_two_wrong_bytes_are_read_from_the_copy_and_never_guessed(filled: Path) -> None:
    """The checksum of the log's line would also fit to one flipped bit, of another answer."""
    log, copy = log_files(filled)
    data = log.read_bytes()
    first = data.splitlines(keepends=True)[0]
    other = first.replace(b"one-question", b"two-question")
    wrong = flipped(b"%08x " % zlib.crc32(other[9:-1]) + other[9:], 100)
    log.write_bytes(wrong + data[len(first) :])
    progress = Progress.open(filled)
    progress.check()
    assert log.read_bytes() == copy.read_bytes() == data


def test_many_damaged_lines_are_repaired_in_bounded_time(folder: Path) -> None:
    """Each has as many differences as are tried, and all in vain."""
    lines = [bytearray(encode(named(number))) for number in range(100)]
    others = [bytearray(line) for line in lines]
    for line, other in zip(lines, others, strict=True):
        for place in range(20, 20 + 2 * 14, 2):
            line[place], other[place] = ord("#"), ord("%")
    tried = 0

    def count(line: bytes) -> bool:
        nonlocal tried
        tried += 1
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mending, "is_damaged", count)
        mended(b"".join(lines), b"".join(others))
    assert tried < 101_000


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
    log.mend(log.examine())
    events = [line.event for line in log.read() if not isinstance(line.event, Imported)]
    assert len(events) == 4
    assert {event.id for event in events if event} == {
        f"answer-{number}" for number in (5, 0, 1, 2)
    }
    before = log.path.read_bytes()
    log.mend(log.examine())
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
