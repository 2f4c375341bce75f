"""Ranks options by the adviser's rule, on plain numbers.

Each option meets each need at a level from 0 to 3, and each need has a weight from 0 to 3. An
option's points are the sum of weight times level over all needs. A must excludes every option that
is below the minimum level for that need, whatever its points. Nothing else affects the ranking.
Options with equal points share a place.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

HIGHEST = 3
"""The highest level, and the highest weight."""


class Table(msgspec.Struct, frozen=True):
    """The `levels[option][need]`, and the `least` level that a must requires for each need."""

    levels: tuple[tuple[int, ...], ...]
    least: tuple[int, ...]


class Place(msgspec.Struct, frozen=True):
    """An option's place in the ranking, counted from 1, and its points.

    Options with equal points share a place. An excluded option has no place, and `unmet` are the
    needs whose musts it doesn't meet.
    """

    option: int
    place: int | None
    points: int
    unmet: tuple[int, ...] = ()


class Deciding(msgspec.Struct, frozen=True):
    """The smallest change that affects first place.

    If the weight of `need` becomes `weight` and no other weight changes, the options `lead` take
    first place.
    """

    need: int
    weight: int
    lead: frozenset[int]


def points(levels: Sequence[int], weights: Sequence[int]) -> int:
    """Return the weighted sum of the levels."""
    return sum(weight * level for weight, level in zip(weights, levels, strict=True))


def share(points_: int, weights: Sequence[int]) -> float:
    """Return the points as a fraction (0 to 1) of the highest possible points."""
    most = HIGHEST * sum(weights)
    return points_ / most if most else 0.0


def unmet(levels: Sequence[int], least: Sequence[int], musts: Sequence[bool]) -> tuple[int, ...]:
    """Return the needs that are musts but below their minimum level."""
    return tuple(need for need, must in enumerate(musts) if must and levels[need] < least[need])


def ranking(table: Table, weights: Sequence[int], musts: Sequence[bool]) -> tuple[Place, ...]:
    """Return the places of all options, sorted by points, with excluded options last.

    Options with equal points keep the order of the table.
    """
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
    """Return the options in first place, which are several if they tie.

    Returns none if all options are excluded or all weights are 0.
    """
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
    """Return the smallest change of one weight that brings `option` to first place.

    If `option` is already in first place, return the smallest change after which first place goes
    to a different set of options. If several changes are equally small, prefer the need with the
    highest weight, then the first need. Returns None if no change of a single weight has this
    effect.
    """
    now = lead(table, weights, musts)
    found: list[tuple[tuple[int, int, int], Deciding]] = []
    for need, weight in enumerate(weights):
        for other in range(HIGHEST + 1):
            then = lead(table, [*weights[:need], other, *weights[need + 1 :]], musts)
            if then and then != now and (option in now or option in then):
                order = (abs(other - weight), -weight, need)
                found.append((order, Deciding(need, other, then)))
    return min(found, key=lambda each: each[0])[1] if found else None
