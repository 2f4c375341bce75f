"""Test state files that are damaged, empty, missing, edited, or newer."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.learner.learner_sessions import answered, log_files, told
from tutor.errors import StoreError
from tutor.learner.errors import StoreNewer
from tutor.learner.progress import Progress
from tutor.learner.records import Draft, LessonState
from tutor.learner.schema import CURRENT

QUESTIONS = {"question-0", "question-1", "question-2"}


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def scribble(file: Path) -> None:
    file.write_bytes(b"\x00\xff" * 100)


def no_json_object(file: Path) -> None:
    file.write_text("[]")


def not_utf8(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"question-0", b"question-\xff", 1))


def other_json(file: Path) -> None:
    file.write_text('{"about":{"file":{"schema":1,"checksum":"00000000"}},"cards":[1,2]}')


def nested(file: Path) -> None:
    file.write_text('{"about":' + "[" * 100_000)


def no_version(file: Path) -> None:
    file.write_text('{"about":{"file":{"schema":0,"checksum":"00000000"}},"cards":{}}')


def empty(file: Path) -> None:
    file.write_bytes(b"")


def remove(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (cut_off, "is damaged"),
        (scribble, "is damaged"),
        (no_json_object, "is damaged"),
        (not_utf8, "is damaged"),
        (other_json, "is damaged"),
        (nested, "is damaged"),
        (no_version, "is damaged"),
        (empty, "is empty"),
        (remove, "is missing"),
    ],
)
class TestDamage:
    def test_with_a_backup_nothing_is_lost(
        self, filled: Path, damage: Callable[[Path], None], problem: str
    ) -> None:
        file = filled / "progress.json"
        damage(file)
        left = file.read_bytes() if file.exists() else None
        progress = Progress.open(filled)
        assert set(progress.cards()) == QUESTIONS
        assert progress.lesson("one-question").screen == "ask"
        assert str(progress.notices[0]).startswith(
            f"Saved progress was repaired: {file} {problem}. Its backup is used instead, "
            "and all answers since the backup were restored from the review log."
        )
        assert told(progress).endswith("You don't need to do anything.")
        assert len(progress.notices) == 1
        # Reading has changed nothing; saving repairs the file, and keeps the damaged one.
        assert (file.read_bytes() if file.exists() else None) == left
        progress.record(answered(3))
        kept = filled / "progress.json.damaged"
        assert (kept.read_bytes() if kept.exists() else None) == left
        again = Progress.open(filled)
        assert set(again.cards()) == {*QUESTIONS, "question-3"}
        assert again.lesson("one-question").screen == "ask"
        assert again.notices == []

    def test_without_a_backup_the_log_restores_every_answer(
        self, filled: Path, damage: Callable[[Path], None], problem: str
    ) -> None:
        file = filled / "progress.json"
        damage(file)
        damage(filled / "progress.json.bak")
        progress = Progress.open(filled)
        assert {card.question: card.answers for card in progress.cards().values()} == (
            dict.fromkeys(QUESTIONS, 1)
        )
        assert (
            f"{file} {problem}, and it has no readable backup. All your answers were restored "
            "from the review log; only your place in each lesson is lost."
        ) in told(progress)
        assert told(progress).endswith("Open the lesson you were in and continue there.")
        progress.save_lesson(LessonState(lesson="one-question", screen="start"))
        again = Progress.open(filled)
        assert set(again.cards()) == QUESTIONS
        assert again.notices == []

    def test_damage_right_after_the_repair(
        self, filled: Path, damage: Callable[[Path], None], problem: str
    ) -> None:
        """The repair must not make a damaged file the backup."""
        file = filled / "progress.json"
        damage(file)
        Progress.open(filled).record(answered(3))
        damage(file)
        progress = Progress.open(filled)
        assert set(progress.cards()) == {*QUESTIONS, "question-3"}
        assert progress.lesson("one-question").screen == "ask"
        assert f"{file} {problem}. Its backup is used instead" in told(progress)


def test_with_nothing_left_the_learner_can_continue(filled: Path) -> None:
    file = filled / "progress.json"
    for each in (filled / "progress.json.bak", *log_files(filled)):
        each.unlink()
    scribble(file)
    progress = Progress.open(filled)
    assert progress.cards() == {}
    assert (
        f"{file} is damaged, and neither a backup nor a review log can be read. Your progress "
        "starts from zero. The next save renames the damaged file to "
        f"progress.json.damaged. If you have a copy of the folder {filled}, put it back"
    ) in told(progress)
    progress.record(answered(1))
    assert set(Progress.open(filled).cards()) == {"question-1"}


def test_a_deleted_folder_is_a_new_learner(filled: Path) -> None:
    progress = Progress.open(filled)
    shutil.rmtree(filled)
    assert progress.cards() == {}
    progress.record(answered(7))
    assert set(Progress.open(filled).cards()) == {"question-7"}
    assert told(Progress.open(filled)) == ""


@pytest.mark.parametrize("damage", [remove, empty])
def test_losing_the_log_and_its_copy_does_not_change_the_state(
    filled: Path, damage: Callable[[Path], None]
) -> None:
    log, copy = log_files(filled)
    damage(log)
    damage(copy)
    progress = Progress.open(filled)
    assert set(progress.cards()) == QUESTIONS
    assert (
        f"{log} and its copy are missing, or older than your saved progress. The saved progress "
        "is used. If you have a newer version of the file, restore it"
    ) in told(progress)
    progress.record(answered(3))
    progress.record(answered(4))
    again = Progress.open(filled)
    assert set(again.cards()) == {*QUESTIONS, "question-3", "question-4"}
    assert again.notices == []


def test_an_older_copy_of_the_log_does_not_change_the_state(filled: Path) -> None:
    older = log_files(filled)[0].read_bytes()
    progress = Progress.open(filled)
    progress.record(answered(3))
    for log in log_files(filled):
        log.write_bytes(older)
    progress = Progress.open(filled)
    progress.record(answered(4))
    assert set(Progress.open(filled).cards()) == {*QUESTIONS, "question-3", "question-4"}
    log, _ = log_files(filled)
    assert f"{log} and its copy are missing, or older than your saved progress" in told(progress)


def test_an_older_copy_of_the_state_is_brought_up_to_date(filled: Path) -> None:
    file = filled / "progress.json"
    older = file.read_bytes()
    progress = Progress.open(filled)
    for number in range(3, 6):
        progress.record(answered(number))
    file.write_bytes(older)
    assert len(progress.cards()) == 6
    again = Progress.open(filled)
    assert [card.answers for card in again.cards().values()] == [1] * 6
    assert again.notices == []


def test_an_edited_file_gives_places_and_the_log_gives_answers(filled: Path) -> None:
    """Using the backup would discard the user's edits.

    If the file was not edited but damaged by a flipped bit, the log still has the answers.
    """
    file = filled / "progress.json"
    Progress.open(filled).save_draft("other", Draft(version=1, answer="17"))
    cards = Progress.open(filled).cards()
    text = file.read_text()
    assert '"answers":1' in text
    text = text.replace('"screen":"ask"', '"screen":"end"').replace('"answers":1', '"answers":5')
    file.write_text(text.replace('"question-2"', '"question-6"'))
    progress = Progress.open(filled)
    assert progress.lesson("one-question").screen == "end"
    assert progress.draft("other") == Draft(version=1, answer="17")
    assert progress.cards() == cards
    assert told(progress) == (
        f"Saved progress was repaired: {file} was changed by another program. "
        "Your place in each lesson comes from the changed file; your answers were restored from "
        "the review log. If you did not change it yourself, check your place in each lesson."
    )
    progress.record(answered(3))
    again = Progress.open(filled)
    assert again.lesson("one-question").screen == "end"
    assert set(again.cards()) == {*QUESTIONS, "question-3"}
    assert {card.answers for card in again.cards().values()} == {1}
    assert again.notices == []


def test_repairing_the_log_does_not_hide_edits_of_the_state(filled: Path) -> None:
    file, cards = filled / "progress.json", Progress.open(filled).cards()
    log, _ = log_files(filled)
    file.write_text(file.read_text().replace('"answers":1', '"answers":5'))
    log.write_bytes(log.read_bytes()[:99])
    Progress.open(filled).check()
    again = Progress.open(filled)
    assert again.cards() == cards
    assert again.notices == []


def test_an_edited_file_without_a_log_is_used_as_it_is(filled: Path) -> None:
    for log in log_files(filled):
        log.unlink()
    file = filled / "progress.json"
    file.write_text(file.read_text().replace('"screen":"ask"', '"screen":"end"'))
    progress = Progress.open(filled)
    assert set(progress.cards()) == QUESTIONS
    assert f"{file} was changed by another program. The changed file is used." in told(progress)


def test_a_flipped_bit_in_the_state_loses_no_answer(filled: Path) -> None:
    file = filled / "progress.json"
    data, cards = file.read_bytes(), Progress.open(filled).cards()
    for position in range(0, len(data), 3):
        bit = 1 << position % 8
        file.write_bytes(data[:position] + bytes([data[position] ^ bit]) + data[position + 1 :])
        progress = Progress.open(filled)
        assert progress.cards() == cards
        assert str(file) in told(progress)
        assert not isinstance(progress.notices[0], StoreNewer)
    file.write_bytes(data.replace(b'"schema":4', b'"schema":5'))
    progress = Progress.open(filled)
    progress.record(answered(3))
    assert set(Progress.open(filled).cards()) == {*QUESTIONS, "question-3"}


def test_an_invalid_entry_is_left_out_and_stays_in_the_file(filled: Path) -> None:
    file = filled / "progress.json"
    text = file.read_text()
    file.write_text(text.replace('"screen":"ask"', '"screen":7'))
    progress = Progress.open(filled)
    assert set(progress.cards()) == QUESTIONS
    assert progress.lesson("one-question").screen == ""
    assert (
        f"1 of the entries in {file} cannot be read and is ignored. They are still in the file."
    ) in told(progress)
    progress.save_setting("seed", 1)
    assert '"screen":7' in file.read_text()
    progress.save_lesson(LessonState(lesson="one-question", screen="end"))  # repairs it
    again = Progress.open(filled)
    assert (again.lesson("one-question").screen, told(again)) == ("end", "")


def test_a_file_of_a_newer_version_is_left_alone(filled: Path) -> None:
    file = filled / "progress.json"
    rest = b'"more":[1]}},"cards":"in another file"}'
    checksum = b"%08x" % zlib.crc32(b"," + rest, 9)
    file.write_bytes(b'{"about":{"file":{"schema":9,"checksum":"' + checksum + b'",' + rest)
    before = contents(filled)
    progress = Progress.open(filled)
    message = (
        f"Progress is from a newer version: {file} was written by a newer version of tutor "
        f"(format 9; this version reads formats up to {CURRENT.version}). The file was not "
        "changed. You can look at everything, but no progress is saved. Update tutor to continue."
    )
    assert told(progress) == message
    assert isinstance(progress.notices[0], StoreNewer)
    assert set(progress.cards()) == QUESTIONS  # the log is readable
    saves: list[Callable[[], None]] = [
        lambda: progress.record(answered(3)),
        lambda: progress.save_lesson(LessonState(lesson="one-question")),
        lambda: progress.save_setting("seed", 1),
    ]
    for save in saves:
        with pytest.raises(StoreNewer) as caught:
            save()
        assert str(caught.value) == message
    progress.check()
    assert told(progress) == message
    assert contents(filled) == before


def test_a_folder_in_place_of_the_file_leaves_a_notice(filled: Path) -> None:
    file = filled / "progress.json"
    file.unlink()
    file.mkdir()
    progress = Progress.open(filled)
    assert set(progress.cards()) == QUESTIONS
    assert f"{file} could not be read: not a regular file." in told(progress)
    with pytest.raises(StoreError, match="could not be read"):
        progress.record(answered(3))
    assert not (filled / "reviews.log").read_bytes().count(b"question-3")


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}
