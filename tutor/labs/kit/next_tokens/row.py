"""A row of a table that compares two next-token distributions."""

from __future__ import annotations

import msgspec

from tutor.lm.distribution import Token


class NextRow(msgspec.Struct, frozen=True, array_like=True):
    """A candidate for the next token, with its probability before and after a change."""

    token: Token
    before: float
    after: float


def top_changed(rows: tuple[NextRow, ...]) -> bool:
    """Return True if the most probable token is a different one after the change."""
    return max(rows, key=lambda row: row.after) is not max(rows, key=lambda row: row.before)
