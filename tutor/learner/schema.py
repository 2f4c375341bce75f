"""Define the versions of the state file, and convert files from older versions.

Each new version adds one function to `MIGRATIONS`. The review log needs no migrations, because its
lines never change and the tag of an event determines its meaning.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from tutor.learner.errors import StoreNewer

Document = dict[str, Any]
Tables = dict[str, dict[str, Document]]
"""Documents by table name and document id, as TinyDB stores them."""

Migration = Callable[[Tables], Tables]


class Schema(msgspec.Struct, frozen=True):
    """The known versions. `migrations[0]` converts from version 1 to version 2, and so on."""

    migrations: tuple[Migration, ...] = ()

    @property
    def version(self) -> int:
        return len(self.migrations) + 1

    def check(self, version: int, where: str) -> None:
        """Raise `StoreNewer` if this program is too old to read a file with this schema version."""
        if version > self.version:
            raise StoreNewer(
                f"{where} was written by a newer version of tutor (format {version}; "
                f"this version reads formats up to {self.version}). The file was not changed.",
                "You can look at everything, but no progress is saved. Update tutor to continue.",
            )

    def migrate(self, tables: Tables, version: int) -> Tables:
        """Return `tables` converted from `version` to the current version. Call `check` first."""
        for migration in self.migrations[version - 1 :]:
            tables = migration(tables)
        return tables


def _rename_goals_to_labs_done(tables: Tables) -> Tables:
    """Convert to version 2, in which the `goals` field of lessons is named `labs_done`."""
    lessons = {
        key: {("labs_done" if name == "goals" else name): value for name, value in lesson.items()}
        for key, lesson in tables.get("lessons", {}).items()
    }
    return {**tables, "lessons": lessons}


def _schedule_cards(tables: Tables) -> Tables:
    """Convert to version 3, in which cards have due times.

    All cards are due now until their due times are computed from the log.
    """
    cards = {
        key: {"due": card.get("last_at", 0.0), **card}
        for key, card in tables.get("cards", {}).items()
    }
    log = {key: {**mark, "outdated": True} for key, mark in tables.get("log", {}).items()}
    return {**tables, "cards": cards, "log": log}


MIGRATIONS: tuple[Migration, ...] = (
    _rename_goals_to_labs_done,
    _schedule_cards,
    lambda tables: tables,  # Version 4: the checksum covers the version, and the log has a copy.
)

VERSION_CHECKED = LOG_COPIED = 4
"""The first version whose checksum covers the version number and whose log has a copy."""

CURRENT = Schema(MIGRATIONS)
