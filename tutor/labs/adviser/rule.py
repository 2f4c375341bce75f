"""The rule that ranks the adviser's options, as functions of plain numbers.

Each option meets each need at a level from 0 to 3, and each need has a weight from 0 to 3. An
option's points are the sum of weight times level over all needs. A need can also be a must. A must
excludes every option whose level is below the minimum for this need, even if the option has the
most points. Options with equal points have the same rank.

The ranking depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

HIGHEST = 3
"""The highest possible level, which is also the highest weight."""


class Table(msgspec.Struct, frozen=True):
    """The level of each option for each need, and the minimum levels for musts.

    `levels[option][need]` is a level, and `least[need]` is the minimum level if the need is a must.
    """

    levels: tuple[tuple[int, ...], ...]
    least: tuple[int, ...]


class Place(msgspec.Struct, frozen=True):
    """An option's rank and points.

    `place` is the rank, from 1; options with equal points have the same rank. If the option is
    excluded, `place` is None, and `unmet` lists the musts that it doesn't meet.
    """

    option: int
    place: int | None
    points: int
    unmet: tuple[int, ...] = ()


class Deciding(msgspec.Struct, frozen=True):
    """The smallest change to one weight that changes which options are in first place.

    If the weight of `need` changes to `weight`, the options `lead` are in first place.
    """

    need: int
    weight: int
    lead: frozenset[int]


def points(levels: Sequence[int], weights: Sequence[int]) -> int:
    """Return an option's points: the sum of weight times level over all needs."""
    return sum(weight * level for weight, level in zip(weights, levels, strict=True))


def share(points_: int, weights: Sequence[int]) -> float:
    """Return the points as a fraction (0 to 1) of the maximum possible points."""
    most = HIGHEST * sum(weights)
    return points_ / most if most else 0.0


def unmet(levels: Sequence[int], least: Sequence[int], musts: Sequence[bool]) -> tuple[int, ...]:
    """Return the musts that an option doesn't meet, as indexes of needs."""
    return tuple(need for need, must in enumerate(musts) if must and levels[need] < least[need])


def ranking(table: Table, weights: Sequence[int], musts: Sequence[bool]) -> tuple[Place, ...]:
    """Rank all options. Excluded options come last.

    Options with equal points stay in the order in which they are given.
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
    """Return the options in first place. There are several if they are tied.

    The set is empty if all options are excluded or all weights are 0.
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
    """Find the smallest change to one weight that puts `option` into first place.

    If `option` is already in first place, find the smallest change that makes the set of options in
    first place different. If several changes are equally small, prefer the need with the highest
    weight, then the first need. Returns None if no change to a single weight has this effect.
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
