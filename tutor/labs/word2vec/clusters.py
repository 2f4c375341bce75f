"""Measures how well words form clusters, and rotates maps so that they can be compared."""

from __future__ import annotations

import math

import msgspec

Point = tuple[float, float]

TOGETHER = 0.9
APART = 0.3
"""Words form clusters if 90 % of them have a word of their own group as nearest neighbor, and the
mean cosine within groups is 0.30 above the mean cosine between groups."""


class Clustering(msgspec.Struct, frozen=True):
    """A measure of how well words form clusters.

    `together` is the fraction of words whose nearest neighbor is in their own group. `within` and
    `between` are the mean cosines within groups and between them.
    """

    together: float
    within: float
    between: float

    @property
    def clustered(self) -> bool:
        return self.together >= TOGETHER and self.within - self.between >= APART


def compared(cosines: tuple[tuple[float, ...], ...], groups: tuple[int, ...]) -> Clustering | None:
    """Return how well words form clusters, given their cosines and the group of each word.

    Return None if no group has two words, or if there is only one group.
    """
    places = range(len(groups))
    pairs = [(one, other) for one in places for other in places if one != other]
    within = [cosines[one][other] for one, other in pairs if groups[one] == groups[other]]
    between = [cosines[one][other] for one, other in pairs if groups[one] != groups[other]]
    if not within or not between:
        return None
    nearest = [
        max((o for o in places if o != one), key=lambda o: cosines[one][o]) for one in places
    ]
    hits = sum(groups[one] == groups[near] for one, near in zip(places, nearest, strict=True))
    return Clustering(hits / len(groups), sum(within) / len(within), sum(between) / len(between))


def turned(points: tuple[Point, ...], before: tuple[Point, ...]) -> tuple[Point, ...]:
    """Return `points` rotated, and mirrored if that helps, to be as close to `before` as possible.

    The rotation about the center minimizes the sum of squared distances (orthogonal Procrustes in
    two dimensions). Principal components have arbitrary signs, so without this a map would flip and
    spin from one step to the next.
    """

    def fit(sign: float) -> tuple[float, float]:
        """Return how well the best rotation fits, and its angle."""
        across = sum(x * a + sign * y * b for (x, y), (a, b) in zip(points, before, strict=True))
        around = sum(x * b - sign * y * a for (x, y), (a, b) in zip(points, before, strict=True))
        return math.hypot(across, around), math.atan2(around, across)

    (straight, angle), (mirrored, other) = fit(1.0), fit(-1.0)
    sign = 1.0
    if mirrored > straight:
        sign, angle = -1.0, other
    cos, sin = math.cos(angle), math.sin(angle)
    return tuple((cos * x - sin * sign * y, sin * x + cos * sign * y) for x, y in points)
