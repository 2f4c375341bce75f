"""Which of many rows or columns are shown where not all fit."""

from __future__ import annotations


def around(focus: int, count: int, room: int) -> range:
    """`room` of `count` (one at least, as far as there are any), the one in focus among them and in
    their middle, except near the ends."""
    room = max(1, room)
    first = max(0, min(focus - room // 2, count - room))
    return range(first, min(count, first + room))
