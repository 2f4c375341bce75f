"""Describes the progress of long work."""

from __future__ import annotations

import msgspec


class Progress(msgspec.Struct, frozen=True, tag="Underway"):
    """The progress of unfinished work: `done` of `total`.

    `seconds` is the estimated time left, or None if it is unknown. A backend can send its progress
    as a response. If it receives the same request again, it continues the work.
    """

    done: int
    total: int
    seconds: float | None = None


def at_pace(done: int, total: int, each: float | None) -> Progress:
    """Return the progress of work that takes `each` seconds per item (None if unknown)."""
    return Progress(done, total, None if each is None else each * (total - done))
