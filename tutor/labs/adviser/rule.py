"""Ranks options by the adviser's rule, on plain numbers.

Each option meets each need at a level from 0 to 3, and each need has a weight from 0 to 3. The
points of an option are the sum of weight times level over all needs. A must excludes every option
that is below the least level of that need, whatever its points. That is all: options get points
for nothing else, and options with equal points share a place.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

HIGHEST = 3
"""The highest level, and the highest weight."""


class Table(msgspec.Struct, frozen=True):
    """The `levels[option][need]`, and for each need the `least` level that a must demands."""

    levels: tuple[tuple[int, ...], ...]
    least: tuple[int, ...]


class Place(msgspec.Struct, frozen=True):
    """The place of an option in the ranking, counted from 1, and its points.

    Options with equal points share a place. An excluded option has no place; `unmet` are the needs
    whose musts it does not meet.
    """

    option: int
    place: int | None
    points: int
    unmet: tuple[int, ...] = ()


class Deciding(msgspec.Struct, frozen=True):
    """The smallest change that affects the first place.

    If only the weight of `need` becomes `weight`, the options `lead` are in first place.
    """

    need: int
    weight: int
    lead: frozenset[int]


def points(levels: Sequence[int], weights: Sequence[int]) -> int:
    """Return the weighted sum of the levels."""
    return sum(weight * level for weight, level in zip(weights, levels, strict=True))


def share(points_: int, weights: Sequence[int]) -> float:
    """Return the points divided by those of an option with all levels at the highest (0 to 1)."""
    most = HIGHEST * sum(weights)
    return points_ / most if most else 0.0


def unmet(levels: Sequence[int], least: Sequence[int], musts: Sequence[bool]) -> tuple[int, ...]:
    """Return the needs that are musts and below their least level."""
    return tuple(need for need, must in enumerate(musts) if must and levels[need] < least[need])


def ranking(table: Table, weights: Sequence[int], musts: Sequence[bool]) -> tuple[Place, ...]:
    """Return the places of all options: by points, then those that are excluded.

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
    """Return the options in first place; several if they tie.

    There are none if all options are excluded or all weights are 0.
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

    If it is already in first place, return the smallest change after which others are there. If
    several changes are equally small, the need with the highest weight counts, then the first
    need. Returns None if no single weight has this effect.
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
