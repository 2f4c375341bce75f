"""Places the names of points in terminal cells so that the names don't overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len


class Spot(NamedTuple):
    """A point in column `x` and row `y`, and the name to write next to it."""

    x: int
    y: int
    name: str


def place(spots: Sequence[Spot], width: int, height: int) -> list[tuple[int, int] | None]:
    """Return the cell (column, row) where each name begins, or None if there is no room for it.

    Names don't cover points. They are placed in the given order, to the right of the point if there
    is room, otherwise to its left, above it or below it. Names in the same row are separated by a
    space.
    """
    points = {(spot.x, spot.y) for spot in spots}
    taken: set[tuple[int, int]] = set()  # Each name's cells, and the cells around it.
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
