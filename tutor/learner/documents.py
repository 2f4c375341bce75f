"""Store the learner's state as TinyDB documents."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from tinydb import TinyDB
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

Record = TypeVar("Record")

_KEPT = frozenset({"lessons", "settings", "drafts"})
"""The tables that exist only in the state file. All other tables can be rebuilt from the log."""

FEW = 8
"""The maximum number of changed documents that are updated one by one.

If more documents have changed, all of them are updated at once.
"""


class ById(Table):
    """A TinyDB table whose document ids are strings instead of generated numbers."""

    document_id_class = str  # type: ignore[assignment]  # declared as int, works with any type


class HeldSetting(msgspec.Struct, frozen=True):
    value: Setting


class HeldTime(msgspec.Struct, frozen=True):
    at: float


def from_tables(tables: Tables) -> tuple[LearnerState, int]:
    """Return the state in `tables`, and the number of entries that cannot be decoded.

    These entries are missing from the state but stay in the file.
    """
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
    """Remove every table that can be rebuilt from the log."""
    for name in set(tables) - _KEPT:
        del tables[name]


def write_changes(database: TinyDB, before: LearnerState, after: LearnerState) -> None:
    """Write the differences between the states `before` and `after` to the database."""
    old, new = _records(before), _records(after)
    # Write the position in the log even if nothing has changed, so that the file exists.
    old["log"] = {}
    for name, records in new.items():
        _upsert(database, name, old[name], records)
    for name in ("cards", "drafts"):
        if gone := [key for key in old[name] if key not in new[name]]:
            _table(database, name).remove(doc_ids=gone)  # type: ignore[arg-type]


def _records(state: LearnerState) -> dict[str, Mapping[str, msgspec.Struct]]:
    """Return the records of `state` by table name and document id, in the order of the file."""
    return {
        "cards": state.cards,
        "lessons": state.lessons,
        "suspensions": state.suspensions,
        "drafts": state.drafts,
        "guesses": {"all": state.guesses},
        "days": {"all": state.days},
        "undo": {"last": state.undo},
        "log": {"mark": state.mark},
        "settings": {key: HeldSetting(value) for key, value in state.settings.items()},
        "forgotten": {key: HeldTime(at) for key, at in state.forgotten.items()},
    }


def _table(database: TinyDB, name: str) -> ById:
    return ById(database.storage, name, cache_size=0)


def _upsert(
    database: TinyDB,
    name: str,
    before: Mapping[str, msgspec.Struct],
    after: Mapping[str, msgspec.Struct],
) -> None:
    # TinyDB rewrites the whole table for each operation. One operation can add all new documents,
    # but each changed document needs a separate operation. Usually only one document has
    # changed. After a rebuild, all documents have changed.
    changed = {key: record for key, record in after.items() if before.get(key) != record}
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
