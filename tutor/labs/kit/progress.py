"""The progress of long work."""

from __future__ import annotations

import msgspec


class Progress(msgspec.Struct, frozen=True, tag="Underway"):
    """The progress of unfinished work: `done` of `total`.

    `seconds` estimates how long the rest takes; None if unknown. A backend may answer with its
    progress. Asked the same question again, it continues from there.
    """

    done: int
    total: int
    seconds: float | None = None


def at_pace(done: int, total: int, each: float | None) -> Progress:
    """Return the progress of work that takes `each` seconds per item (None if unknown)."""
    return Progress(done, total, None if each is None else each * (total - done))
