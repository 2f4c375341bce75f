"""A state file of an older version, read by a program that has moved on."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from learner_sessions import answered, told

from tutor.errors import StoreNewer
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState
from tutor.learner.schema import CURRENT, MIGRATIONS, Schema, Tables

NEXT = CURRENT.version + 1


def rename_screen(tables: Tables) -> Tables:
    """The next version, for example: the first screen of a lesson is called differently."""
    for lesson in tables.get("lessons", {}).values():
        if lesson["screen"] == "ask":
            lesson["screen"] = "question"
    return tables


def add_setting(tables: Tables) -> Tables:
    """The one after, for example: a setting that was implied becomes a choice."""
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


def test_the_older_program_then_reads_and_leaves_it_alone(filled: Path) -> None:
    Progress(filled, schema=Schema((*MIGRATIONS, rename_screen))).record(answered(3))
    older = Progress(filled, schema=CURRENT)
    known = f"(format {NEXT}, this one knows {CURRENT.version}). Nothing in it was changed."
    assert known in told(older)
    assert len(older.cards()) == 4
    with pytest.raises(StoreNewer, match="Update tutor to go on"):
        older.record(answered(4))


def test_the_backup_is_migrated_too(filled: Path) -> None:
    (filled / "progress.json").write_bytes(b"")
    progress = Progress(filled, schema=Schema((*MIGRATIONS, rename_screen)))
    assert progress.lesson("one-question").screen == "question"
    assert len(progress.cards()) == 3


def test_labs_done_of_version_1_are_still_done(folder: Path) -> None:
    """A file as version 1 wrote it; there is no log beside it that would know."""
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
