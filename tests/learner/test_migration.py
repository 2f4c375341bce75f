"""Test reading a state file of an older version."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgspec
import pytest

from tests.learner.learner_sessions import answered, told
from tutor.learner.errors import StoreNewer
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState, Undone
from tutor.learner.review_log import ReviewLog
from tutor.learner.schema import CURRENT, MIGRATIONS, Schema, Tables
from tutor.learner.state import LearnerState, fold

NEXT = CURRENT.version + 1


def rename_screen(tables: Tables) -> Tables:
    """Migrate to a made-up next version, which renames the first screen of a lesson."""
    for lesson in tables.get("lessons", {}).values():
        if lesson["screen"] == "ask":
            lesson["screen"] = "question"
    return tables


def add_setting(tables: Tables) -> Tables:
    """Migrate to a second made-up version, in which a fixed behavior becomes a setting."""
    place = tables["lessons"]["one-question"]["screen"]
    return {**tables, "settings": {"migrated from": {"value": place}}}


def test_every_step_is_applied_in_order(filled: Path) -> None:
    schema = Schema((*MIGRATIONS, rename_screen, add_setting))
    assert schema.version == NEXT + 1
    progress = Progress(filled, schema=schema)
    assert progress.lesson("one-question").screen == "question"
    assert progress.setting("migrated from") == "question"
    assert len(progress.cards()) == 3
    assert told(progress) == ""


def test_reading_does_not_migrate_the_file_and_saving_does_it_once(filled: Path) -> None:
    file = filled / "progress.json"
    old = file.read_bytes()
    schema = Schema((*MIGRATIONS, rename_screen))
    progress = Progress(filled, schema=schema)
    assert progress.lesson("one-question").screen == "question"
    assert file.read_bytes() == old

    progress.record(answered(3))
    assert file.read_bytes().startswith(b'{"about":{"file":{"schema":%d,' % NEXT)
    assert (filled / f"progress.json.format-{CURRENT.version}").read_bytes() == old
    progress.record(answered(4))
    assert (filled / f"progress.json.format-{CURRENT.version}").read_bytes() == old

    again = Progress(filled, schema=schema)
    assert again.lesson("one-question").screen == "question"
    assert len(again.cards()) == 5
    assert again.export()["format"] == NEXT


def test_an_older_version_then_only_reads_it(filled: Path) -> None:
    Progress(filled, schema=Schema((*MIGRATIONS, rename_screen))).record(answered(3))
    older = Progress(filled, schema=CURRENT)
    known = f"(format {NEXT}; this version reads formats up to {CURRENT.version}). The file was"
    assert known in told(older)
    assert len(older.cards()) == 4
    with pytest.raises(StoreNewer, match="Update tutor to continue"):
        older.record(answered(4))


def test_the_backup_is_migrated_too(filled: Path) -> None:
    (filled / "progress.json").write_bytes(b"")
    progress = Progress(filled, schema=Schema((*MIGRATIONS, rename_screen)))
    assert progress.lesson("one-question").screen == "question"
    assert len(progress.cards()) == 3


def test_labs_done_of_version_1_are_still_done(folder: Path) -> None:
    """This is a file as version 1 wrote it, without a log."""
    body = b'"lessons":{"l":{"lesson":"l","screen":"ask","goals":["stepper"],"visited_at":1.0}}}'
    folder.mkdir(parents=True)
    about = b'{"about":{"file":{"schema":1,"checksum":"%08x"}},' % zlib.crc32(body)
    (folder / "progress.json").write_bytes(about + body)
    progress = Progress.open(folder)
    assert progress.lesson("l").labs_done == ("stepper",)
    assert progress.lesson("l").goals_reached == {}
    progress.save_lesson(LessonState(lesson="l", screen="end"))
    again = Progress.open(folder)
    assert again.lesson("l").labs_done == ("stepper",)
    assert (again.lesson("l").screen, told(again)) == ("end", "")


def line_of_version_2(question: str, at: float, *, correct: bool = True) -> bytes:
    """Return a line of the log from before events had ids."""
    event = {"event": "answered", "at": at, "question": question, "version": 1, "lesson": "l"}
    body = msgspec.json.encode(event | {"correct": correct})
    return b"%08x " % zlib.crc32(body) + body + b"\n"


def folder_of_version_2(folder: Path, lines: list[bytes], answers: dict[str, int]) -> None:
    """Make a learner's folder as version 2 left it, with `answers` counted from the log."""
    folder.mkdir(parents=True)
    (folder / "reviews.log").write_bytes(b"".join(lines))
    end = sum(map(len, lines))
    mark = {"start": end - len(lines[-1]), "end": end, "checksum": lines[-1][:8].decode()}
    cards = {
        question: {
            "question": question,
            "version": 1,
            "lesson": "l",
            "answers": count,
            "correct": count,
            "last_correct": True,
            "last_at": 5000.0,
        }
        for question, count in answers.items()
    }
    place = {"lesson": "l", "screen": "end", "labs_done": ["z", "a"], "visited_at": 1.0}
    tables = {"cards": cards, "lessons": {"l": place}, "log": {"mark": mark}}
    body = msgspec.json.encode(tables)[1:]
    about = b'{"about":{"file":{"schema":2,"checksum":"%08x"}},' % zlib.crc32(body)
    (folder / "progress.json").write_bytes(about + body)


def test_cards_of_version_2_get_their_schedule_from_the_log(folder: Path) -> None:
    lines = [line_of_version_2("q", at) for at in (1000.0, 5000.0)]
    folder_of_version_2(folder, lines, {"q": 2})
    events = [line.event for line in ReviewLog(folder / "reviews.log").read()]
    expected = fold(LearnerState(), [event for event in events if event]).cards
    progress = Progress.open(folder)
    assert progress.cards() == expected
    assert (progress.lesson("l").screen, progress.lesson("l").labs_done) == ("end", ("z", "a"))
    progress.record(answered(9))
    again = Progress.open(folder)
    assert again.cards().keys() == {"q", "question-9"}
    assert again.card("q") == expected["q"]
    assert told(again) == told(progress) == ""
    assert (folder / "progress.json.format-2").exists()


def test_answers_lost_from_the_log_of_version_2_still_count(folder: Path) -> None:
    """The log was lost once, and a new log was started."""
    lines = [line_of_version_2("q", 5000.0)]
    folder_of_version_2(folder, lines, {"q": 7, "older": 3})
    progress = Progress.open(folder)
    assert {key: card.answers for key, card in progress.cards().items()} == {"q": 7, "older": 3}
    assert progress.cards()["older"].due == 5000.0  # the card is due at once
    # Everything that would otherwise be rebuilt from the log stays as it is.
    progress.record(answered(0, question="q"))
    first = next(iter(ReviewLog(folder / "reviews.log").read())).event
    assert first is not None
    progress.record(Undone(at=6000.0, answer=first.id, question="q"))
    again = Progress.open(folder)
    assert again.cards()["older"].answers == 3
    assert again.cards()["q"].answers == 8
    progress.record(answered(1, question="older"))
    assert Progress.open(folder).cards()["older"].answers == 4


def test_answers_of_version_2_keep_their_ids(folder: Path) -> None:
    lines = [line_of_version_2("q", 1000.0)] * 2
    folder_of_version_2(folder, lines, {"q": 2})
    ids = [event.id for event in Progress.open(folder).events()]
    assert len(set(ids)) == 2
    progress = Progress.open(folder)
    progress.record(answered(1))
    assert [event.id for event in progress.events()][:2] == ids
    progress.record(Undone(at=2000.0, answer=ids[1], question="q"))
    assert Progress.open(folder).cards()["q"].answers == 1
