"""Words on their way into clusters: how far they have come, and maps that can be compared."""

from __future__ import annotations

import math

import msgspec

Point = tuple[float, float]

TOGETHER = 0.9
APART = 0.3
"""Words lie in clusters when the nearest other chosen word is of the same kind for 90 % of them,
and two words of a kind have on average a cosine that is 0.30 above that of two words of different
kinds."""


class Standing(msgspec.Struct, frozen=True):
    """How far words of one kind have come together. `together` is the share of words whose nearest
    other is of their kind; `within` and `between` are mean cosines."""

    together: float
    within: float
    between: float

    @property
    def clustered(self) -> bool:
        return self.together >= TOGETHER and self.within - self.between >= APART


def compared(cosines: tuple[tuple[float, ...], ...], groups: tuple[int, ...]) -> Standing | None:
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
    return Standing(hits / len(groups), sum(within) / len(within), sum(between) / len(between))


def turned(points: tuple[Point, ...], before: tuple[Point, ...]) -> tuple[Point, ...]:
    """`points` turned about the middle, and mirrored if need be, so that the sum of squared
    distances to `before` is smallest (orthogonal Procrustes in two dimensions). A map of principal
    components has no up and no left of its own: without this it would flip and spin."""

    def fit(sign: float) -> tuple[float, float]:
        """For the best turn: how well it fits, and its angle."""
        across = sum(x * a + sign * y * b for (x, y), (a, b) in zip(points, before, strict=True))
        around = sum(x * b - sign * y * a for (x, y), (a, b) in zip(points, before, strict=True))
        return math.hypot(across, around), math.atan2(around, across)

    (straight, angle), (mirrored, other) = fit(1.0), fit(-1.0)
    sign = 1.0
    if mirrored > straight:
        sign, angle = -1.0, other
    cos, sin = math.cos(angle), math.sin(angle)
    return tuple((cos * x - sin * sign * y, sin * x + cos * sign * y) for x, y in points)
