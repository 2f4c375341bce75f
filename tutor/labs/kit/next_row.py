"""Defines a row of a table that compares two next-token distributions."""

from __future__ import annotations

import msgspec

from tutor.lm.distribution import Token


class NextRow(msgspec.Struct, frozen=True, array_like=True):
    """A possible next token, with its probability before and after a change."""

    token: Token
    before: float
    after: float


def top_changed(rows: tuple[NextRow, ...]) -> bool:
    """Return True if another token ranks first after the change."""
    return max(rows, key=lambda row: row.after) is not max(rows, key=lambda row: row.before)
