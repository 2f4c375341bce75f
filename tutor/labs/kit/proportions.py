"""Statistics for small counts: confidence intervals and a significance test."""

from __future__ import annotations

from math import comb, sqrt

Z = 1.959964
"""The z-score of a 95 % confidence interval: a normal variable is within this many standard
deviations of its mean with a probability of 95 %."""


def wilson(right: int, of: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a success rate, given `right` of `of` trials.

    This is the Wilson score interval (Wilson 1927, "Probable Inference, the Law of Succession, and
    Statistical Inference"): with p = right / of and z = 1.96, it contains all rates q for which |p
    - q| <= z · sqrt(q (1 - q) / of). Unlike p ± z · sqrt(p (1 - p) / of), it never leaves the range
    from 0 to 1, and its width is not 0 if all trials succeed. If there are no trials, it is (0, 1).
    """
    if of == 0:
        return 0.0, 1.0
    share, z2 = right / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def sign_test(one: int, other: int) -> float:
    """Return the p-value of the exact two-sided sign test.

    This is the probability of a split at least as uneven as `one` to `other` if every item is
    equally likely to fall on either side. Items that both versions get right, or both get wrong,
    don't show which version is better and are not counted (Dixon and Mood 1946, "The Statistical
    Sign Test"; for two classifiers on the same items, this is the exact form of McNemar's test).
    """
    count = one + other
    splits = sum(comb(count, k) for k in range(min(one, other) + 1))
    return min(1.0, 2 * splits * 0.5**count)
