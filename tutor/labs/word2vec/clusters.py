"""Measure how well words form clusters, and align maps with each other."""

from __future__ import annotations

import math

import msgspec

Point = tuple[float, float]

TOGETHER = 0.9
APART = 0.3
"""`TOGETHER` and `APART` are the minimum values for words to count as clustered.

At least 90 % of the words must have a nearest neighbor from their own group. The mean cosine
similarity must be at least 0.30 higher within groups than between groups.
"""


class Clustering(msgspec.Struct, frozen=True):
    """A measure of how well words form clusters.

    Attributes:
        together: The fraction of words whose nearest neighbor is from their own group.
        within: The mean cosine similarity of words in the same group.
        between: The mean cosine similarity of words in different groups.
    """

    together: float
    within: float
    between: float

    @property
    def clustered(self) -> bool:
        return self.together >= TOGETHER and self.within - self.between >= APART


def compared(cosines: tuple[tuple[float, ...], ...], groups: tuple[int, ...]) -> Clustering | None:
    """Measure how well words form clusters.

    `cosines` is the matrix of the words' cosine similarities, and `groups` has the index of each
    word's group. Returns None if there is only one group, or if no group has two words.
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
    """Rotate `points` to match `before` as closely as possible, and mirror them if necessary.

    The result minimizes the sum of squared distances (the orthogonal Procrustes problem in two
    dimensions). The signs of principal components are arbitrary. So without this alignment, the map
    would flip and rotate during the training.
    """

    def fit(sign: float) -> tuple[float, float]:
        """Return a measure of how well the best rotation matches, and its angle in radians."""
        across = sum(x * a + sign * y * b for (x, y), (a, b) in zip(points, before, strict=True))
        around = sum(x * b - sign * y * a for (x, y), (a, b) in zip(points, before, strict=True))
        return math.hypot(across, around), math.atan2(around, across)

    (straight, angle), (mirrored, other) = fit(1.0), fit(-1.0)
    sign = 1.0
    if mirrored > straight:
        sign, angle = -1.0, other
    cos, sin = math.cos(angle), math.sin(angle)
    return tuple((cos * x - sin * sign * y, sin * x + cos * sign * y) for x, y in points)
