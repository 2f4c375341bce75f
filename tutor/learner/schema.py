"""Versions of the state file, and how a file of an older one is brought up to date.

A new version adds one function to `MIGRATIONS`. The review log needs none of this: its lines are
never changed, and what an event means is decided by its tag.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from tutor.learner.errors import StoreNewer

Document = dict[str, Any]
Tables = dict[str, dict[str, Document]]
"""Table name, document id, document: what TinyDB keeps."""

Migration = Callable[[Tables], Tables]


class Schema(msgspec.Struct, frozen=True):
    """`migrations[0]` turns tables of version 1 into version 2, and so on."""

    migrations: tuple[Migration, ...] = ()

    @property
    def version(self) -> int:
        return len(self.migrations) + 1

    def check(self, version: int, where: str) -> None:
        """Raises `StoreNewer` if this program cannot read a file of `version`."""
        if version > self.version:
            raise StoreNewer(
                f"{where} was written by a newer version of tutor (format {version}, "
                f"this one knows {self.version}). Nothing in it was changed.",
                "You can look at everything, but nothing new is kept. Update tutor to go on.",
            )

    def migrate(self, tables: Tables, version: int) -> Tables:
        """`tables` of `version`, which is checked, as tables of this version."""
        for migration in self.migrations[version - 1 :]:
            tables = migration(tables)
        return tables


def _labs_are_called_so(tables: Tables) -> Tables:
    """To version 2: `goals` of a lesson held the ids of labs that were done."""
    lessons = {
        key: {("labs_done" if name == "goals" else name): value for name, value in lesson.items()}
        for key, lesson in tables.get("lessons", {}).items()
    }
    return {**tables, "lessons": lessons}


def _cards_are_scheduled(tables: Tables) -> Tables:
    """To version 3: a card knows when it is due, which the log can tell; until it has, now."""
    cards = {
        key: {"due": card.get("last_at", 0.0), **card}
        for key, card in tables.get("cards", {}).items()
    }
    log = {key: {**mark, "outdated": True} for key, mark in tables.get("log", {}).items()}
    return {**tables, "cards": cards, "log": log}


MIGRATIONS: tuple[Migration, ...] = (
    _labs_are_called_so,
    _cards_are_scheduled,
    lambda tables: tables,  # to version 4: the checksum covers the version, and the log has a copy
)

VERSION_CHECKED = LOG_COPIED = 4
"""Since which version the checksum covers the version, and the review log has a copy."""

CURRENT = Schema(MIGRATIONS)
