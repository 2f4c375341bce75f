"""The learner's state as TinyDB documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from tinydb.table import Document, Table

from tutor.learner.days import Days
from tutor.learner.records import (
    Card,
    Draft,
    GuessHistory,
    LessonState,
    LogMark,
    Setting,
    Suspension,
    Undo,
)
from tutor.learner.schema import Tables
from tutor.learner.state import LearnerState

if TYPE_CHECKING:
    from tinydb import TinyDB

Record = TypeVar("Record")

_KEPT = frozenset({"lessons", "settings", "drafts"})
"""The tables that nothing but the file knows; all others follow from the log."""

FEW = 8
"""Up to so many changed documents are changed one by one."""


class ById(Table):
    """A table whose document ids are our own ids, so that TinyDB never has to find a free one."""

    document_id_class = str  # type: ignore[assignment]  # declared as int, works with any type


class HeldSetting(msgspec.Struct, frozen=True):
    value: Setting


class HeldTime(msgspec.Struct, frozen=True):
    at: float


def from_tables(tables: Tables) -> tuple[LearnerState, int]:
    """The state in `tables`, and how many of its entries cannot be understood. Those are left out
    here and stay in the file."""
    left_out = 0

    def records(name: str, kind: type[Record]) -> dict[str, Record]:
        nonlocal left_out
        found = {}
        for key, document in tables.get(name, {}).items():
            try:
                found[key] = msgspec.convert(document, kind)
            except msgspec.ValidationError:
                left_out += 1
        return found

    state = LearnerState(
        cards=records("cards", Card),
        lessons=records("lessons", LessonState),
        guesses=records("guesses", GuessHistory).get("all", GuessHistory()),
        settings={key: held.value for key, held in records("settings", HeldSetting).items()},
        forgotten={key: held.at for key, held in records("forgotten", HeldTime).items()},
        suspensions=records("suspensions", Suspension),
        drafts=records("drafts", Draft),
        days=records("days", Days).get("all", Days()),
        undo=records("undo", Undo).get("last", Undo()),
        mark=records("log", LogMark).get("mark", LogMark()),
    )
    return state, left_out


def keep_what_only_the_file_knows(tables: Tables) -> None:
    """Take out of `tables` all that follows from the log."""
    for name in set(tables) - _KEPT:
        del tables[name]


def write_changes(database: TinyDB, before: LearnerState, after: LearnerState) -> None:
    """Store the records of `after` that are not those of `before`, from which it was made."""
    _upsert(database, "cards", before.cards, after.cards)
    _upsert(database, "lessons", before.lessons, after.lessons)
    _upsert(database, "suspensions", before.suspensions, after.suspensions)
    _upsert(database, "drafts", before.drafts, after.drafts)
    _upsert(database, "guesses", {"all": before.guesses}, {"all": after.guesses})
    _upsert(database, "days", {"all": before.days}, {"all": after.days})
    _upsert(database, "undo", {"last": before.undo}, {"last": after.undo})
    _upsert(database, "log", {"mark": before.mark}, {"mark": after.mark})
    _upsert(database, "settings", {}, _changed(before.settings, after.settings, HeldSetting))
    _upsert(database, "forgotten", {}, _changed(before.forgotten, after.forgotten, HeldTime))
    _remove(database, "cards", before.cards, after.cards)
    _remove(database, "drafts", before.drafts, after.drafts)


def _changed(
    before: Mapping[str, Any], after: Mapping[str, Any], held: type[Record]
) -> dict[str, Record]:
    return {
        key: held(value)  # type: ignore[call-arg]
        for key, value in after.items()
        if key not in before or before[key] != value
    }


def _table(database: TinyDB, name: str) -> ById:
    return ById(database.storage, name, cache_size=0)


def _remove(
    database: TinyDB, name: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    if gone := [key for key in before if key not in after]:
        _table(database, name).remove(doc_ids=gone)  # type: ignore[arg-type]


def _upsert(
    database: TinyDB, name: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    # A mutation costs TinyDB a pass over the whole table: one for all new documents together, and
    # one for each changed document, usually a single one. After a rebuild everything has changed.
    changed = {key: record for key, record in after.items() if before.get(key) is not record}
    if not changed:
        return
    table = _table(database, name)
    known: list[Document] = []
    new: list[Document] = []
    for key, record in changed.items():
        document = Document(msgspec.to_builtins(record), doc_id=key)  # type: ignore[arg-type]
        (known if table.contains(doc_id=key) else new).append(document)  # type: ignore[arg-type]
    if len(known) > FEW:
        table.remove(doc_ids=[document.doc_id for document in known])
        known, new = [], known + new
    if new:
        table.insert_multiple(new)
    for document in known:
        table.upsert(document)
