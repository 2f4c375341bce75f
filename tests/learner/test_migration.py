"""A state file of an older version, read by a program that has moved on."""

from __future__ import annotations

from pathlib import Path

import pytest
from learner_sessions import answered, told

from tutor.errors import StoreNewer
from tutor.learner.progress import Progress
from tutor.learner.schema import CURRENT, Schema, Tables


def rename_screen(tables: Tables) -> Tables:
    """Version 2, for example: the first screen of a lesson is called differently."""
    for lesson in tables.get("lessons", {}).values():
        if lesson["screen"] == "ask":
            lesson["screen"] = "question"
    return tables


def add_setting(tables: Tables) -> Tables:
    """Version 3, for example: a setting that was implied becomes a choice."""
    place = tables["lessons"]["one-question"]["screen"]
    return {**tables, "settings": {"migrated from": {"value": place}}}


def test_every_step_is_applied_in_order(filled: Path) -> None:
    schema = Schema((rename_screen, add_setting))
    assert schema.version == 3
    progress = Progress(filled, schema=schema)
    assert progress.lesson("one-question").screen == "question"
    assert progress.setting("migrated from") == "question"
    assert len(progress.cards()) == 3
    assert told(progress) == ""


def test_reading_does_not_migrate_the_file_and_saving_does_it_once(filled: Path) -> None:
    file = filled / "progress.json"
    old = file.read_bytes()
    schema = Schema((rename_screen,))
    progress = Progress(filled, schema=schema)
    assert progress.lesson("one-question").screen == "question"
    assert file.read_bytes() == old

    progress.record(answered(3))
    assert file.read_bytes().startswith(b'{"about":{"file":{"schema":2,')
    assert (filled / "progress.json.format-1").read_bytes() == old
    progress.record(answered(4))
    assert (filled / "progress.json.format-1").read_bytes() == old

    again = Progress(filled, schema=schema)
    assert again.lesson("one-question").screen == "question"
    assert len(again.cards()) == 5
    assert again.export()["format"] == 2


def test_the_older_program_then_reads_and_leaves_it_alone(filled: Path) -> None:
    Progress(filled, schema=Schema((rename_screen,))).record(answered(3))
    older = Progress(filled, schema=CURRENT)
    assert "(format 2, this one knows 1). Nothing in it was changed." in told(older)
    assert len(older.cards()) == 4
    with pytest.raises(StoreNewer, match="Update tutor to go on"):
        older.record(answered(4))


def test_the_backup_is_migrated_too(filled: Path) -> None:
    (filled / "progress.json").write_bytes(b"")
    progress = Progress(filled, schema=Schema((rename_screen,)))
    assert progress.lesson("one-question").screen == "question"
    assert len(progress.cards()) == 3
