"""Place labels next to points on a character grid, without overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len


class Spot(NamedTuple):
    """A point in column `x` and row `y`, and the name to show next to it."""

    x: int
    y: int
    name: str


def place(spots: Sequence[Spot], width: int, height: int) -> list[tuple[int, int] | None]:
    """Return the cell (column, row) where each name begins, or None if the name doesn't fit.

    The names are placed in the given order. Each is placed to the right of its point, or else to
    the left, above or below. Names cover neither points nor other names, and two names in the same
    row have a space between them.
    """
    points = {(spot.x, spot.y) for spot in spots}
    # The cells of all names placed so far, and the cells to the left and right of each name.
    taken: set[tuple[int, int]] = set()
    places: list[tuple[int, int] | None] = []
    for spot in spots:
        size = cell_len(spot.name)
        free = (
            start
            for start in _beside(spot, size)
            if 0 <= start[0] <= width - size
            and 0 <= start[1] < height
            and not (points | taken) & _cells(start, size)
        )
        start = next(free, None) if size else None
        if start is not None:
            taken |= _cells((start[0] - 1, start[1]), size + 2)
        places.append(start)
    return places


def _beside(spot: Spot, size: int) -> list[tuple[int, int]]:
    x, y = spot.x, spot.y
    rows = (y - 1, y + 1)
    return [
        (x + 1, y),
        (x - size, y),
        *((x + 1, row) for row in rows),
        *((x - size // 2, row) for row in rows),
        *((x - size, row) for row in rows),
    ]


def _cells(start: tuple[int, int], size: int) -> set[tuple[int, int]]:
    x, y = start
    return {(column, y) for column in range(x, x + size)}
