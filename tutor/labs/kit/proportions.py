"""How sure a count out of a few can make us. Pure functions on counts."""

from __future__ import annotations

from math import comb, sqrt

Z = 1.959964
"""How many standard errors 95 % of a normal distribution reach to both sides."""


def wilson(right: int, of: int) -> tuple[float, float]:
    """The share that `right` successes `of` so many trials leave possible, at 95 %: from, to.

    Wilson's score interval (Wilson 1927, "Probable Inference, the Law of Succession, and
    Statistical Inference"): with p = right / of and z = 1.96, all shares q for which
    |p - q| <= z · sqrt(q (1 - q) / of). Unlike p ± z · sqrt(p (1 - p) / of) it never leaves 0 to 1
    and has a width even where all trials succeed. Without a trial, everything is possible.
    """
    if of == 0:
        return 0.0, 1.0
    share, z2 = right / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def sign_test(one: int, other: int) -> float:
    """The probability of a split at least as uneven as `one` against `other`, if each of these
    items had gone either way with a chance of one half (two-sided, exact).

    Items that both versions get right, or both wrong, say nothing about which is better and are
    left out (Dixon and Mood 1946, "The Statistical Sign Test"; for two classifiers on the same
    items it is McNemar's test in its exact form).
    """
    count = one + other
    splits = sum(comb(count, k) for k in range(min(one, other) + 1))
    return min(1.0, 2 * splits * 0.5**count)
