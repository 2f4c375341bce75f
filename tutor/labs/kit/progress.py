"""How far long work is."""

from __future__ import annotations

import msgspec


class Progress(msgspec.Struct, frozen=True, tag="Underway"):
    """Long work that is not at its end yet: `done` of `total`, and about how many `seconds` the
    rest takes, None where nothing tells yet.

    A backend may answer with it: the same question, asked again, goes on from there.
    """

    done: int
    total: int
    seconds: float | None = None


def at_pace(done: int, total: int, each: float | None) -> Progress:
    """Return how far work is of which one item takes `each` seconds, None where nobody knows."""
    return Progress(done, total, None if each is None else each * (total - done))
