"""Measures calibration: how well certainty matches the fraction of answers that are right.

Answers are sorted into bins by their certainty. In each bin, the mean certainty is compared with
the fraction of answers that were right: where the two agree, the answers are calibrated. The
expected calibration error is the gap, averaged over all answers (Naeini et al. 2015; Guo et al.
2017):

    ECE = sum over bins of  (answers in the bin / all answers) * |fraction right - mean certainty|
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

EDGES = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""The limits of the bins: equal widths where most answers are, and one bin for the few below."""


class Bin(msgspec.Struct, frozen=True):
    """The answers whose certainty is above `low` and at most `high`; a `low` of 0 is included.

    `count` is the number of answers, `right` the number of right ones, and `certainty` their mean
    certainty (0 to 1).
    """

    low: float
    high: float
    count: int
    right: int
    certainty: float

    @property
    def share_right(self) -> float:
        """The fraction of answers that are right (0 to 1), or 0 without an answer."""
        return self.right / self.count if self.count else 0.0

    @property
    def gap(self) -> float:
        """The mean certainty minus the fraction right: positive if overconfident."""
        return self.certainty - self.share_right


def bins(answers: Iterable[tuple[float, bool]], edges: Sequence[float] = EDGES) -> tuple[Bin, ...]:
    """Return one bin for each pair of neighboring `edges`.

    Each answer is a certainty (0 to 1) and whether the answer was right.
    """
    answers = list(answers)
    found = []
    for low, high in pairwise(edges):
        inside = [(p, right) for p, right in answers if low < p <= high or p == low == 0]
        mean = sum(p for p, _ in inside) / len(inside) if inside else 0.0
        found.append(Bin(low, high, len(inside), sum(right for _, right in inside), mean))
    return tuple(found)


def expected_error(found: Iterable[Bin]) -> float:
    """Return the expected calibration error (0 to 1), or 0 without an answer."""
    found = list(found)
    total = sum(each.count for each in found)
    return sum(each.count * abs(each.gap) for each in found) / total if total else 0.0
