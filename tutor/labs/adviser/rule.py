"""The rule by which the adviser ranks, on plain numbers.

Each option serves each need on a level from 0 to 3, and each need has a weight from 0 to 3. The
points of an option are the sum of weight times level over all needs. A must excludes every option
that serves the need below a least level, whatever its points. That is all: no option gets points
for anything else, and options with as many points share a place.

`Table` is what is weighed: `levels[option][need]`, and the `least` level of each need as a must.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

HIGHEST = 3
"""The highest level, and the highest weight."""


class Table(msgspec.Struct, frozen=True):
    levels: tuple[tuple[int, ...], ...]
    least: tuple[int, ...]


class Place(msgspec.Struct, frozen=True):
    """Where an option stands: its place counted from 1, shared where points are equal, and its
    points. One that is excluded has no place, and the needs whose must it does not meet."""

    option: int
    place: int | None
    points: int
    unmet: tuple[int, ...] = ()


class Deciding(msgspec.Struct, frozen=True):
    """The need whose weight would first change who is in first place: with `weight` instead, and
    all else as it is, `lead` is in front."""

    need: int
    weight: int
    lead: frozenset[int]


def points(levels: Sequence[int], weights: Sequence[int]) -> int:
    """The weighted sum."""
    return sum(weight * level for weight, level in zip(weights, levels, strict=True))


def share(points_: int, weights: Sequence[int]) -> float:
    """Points as a part (0 to 1) of those of an option that serves everything fully."""
    most = HIGHEST * sum(weights)
    return points_ / most if most else 0.0


def unmet(levels: Sequence[int], least: Sequence[int], musts: Sequence[bool]) -> tuple[int, ...]:
    """The needs that are musts and served below their least level."""
    return tuple(need for need, must in enumerate(musts) if must and levels[need] < least[need])


def ranking(table: Table, weights: Sequence[int], musts: Sequence[bool]) -> tuple[Place, ...]:
    """All options: those in the running by points, then those that are excluded. Equal ones stay
    in the order of the table."""
    rows = [
        Place(option, None, points(levels, weights), unmet(levels, table.least, musts))
        for option, levels in enumerate(table.levels)
    ]
    running = sorted((row for row in rows if not row.unmet), key=lambda row: -row.points)
    placed = [
        replace(row, place=1 + sum(each.points > row.points for each in running)) for row in running
    ]
    return (*placed, *(row for row in rows if row.unmet))


def lead(table: Table, weights: Sequence[int], musts: Sequence[bool]) -> frozenset[int]:
    """The options in first place, several where they tie. Nobody where all are excluded, or as
    long as nothing weighs anything."""
    running = {
        option: points(levels, weights)
        for option, levels in enumerate(table.levels)
        if not unmet(levels, table.least, musts)
    }
    if not running or not any(weights):
        return frozenset()
    most = max(running.values())
    return frozenset(option for option, its in running.items() if its == most)


def deciding(
    table: Table, weights: Sequence[int], musts: Sequence[bool], option: int
) -> Deciding | None:
    """What would first bring `option` to the front, alone or with others; or, where it is there
    already, first change who is. One weight is changed at a time; the smallest change counts, and
    of equally small ones the need that weighs most now, then the first. None where no weight of
    one need does it."""
    now = lead(table, weights, musts)
    found: list[tuple[tuple[int, int, int], Deciding]] = []
    for need, weight in enumerate(weights):
        for other in range(HIGHEST + 1):
            then = lead(table, [*weights[:need], other, *weights[need + 1 :]], musts)
            if then and then != now and (option in now or option in then):
                order = (abs(other - weight), -weight, need)
                found.append((order, Deciding(need, other, then)))
    return min(found, key=lambda each: each[0])[1] if found else None
