"""Measure calibration: how well the certainty of answers matches their accuracy.

Answers are sorted into bins by certainty. A model is calibrated if the mean certainty in each bin
equals the accuracy, which is the fraction of correct answers in the bin. The expected calibration
error (ECE) is the mean absolute difference, weighted by the number of answers in each bin (Naeini
et al. 2015; Guo et al. 2017):

    ECE = sum over bins of  (answers in the bin / all answers) * |accuracy - mean certainty|
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

EDGES = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""The edges of the bins. Few answers have a certainty below 0.4, so these share one bin."""


class Bin(msgspec.Struct, frozen=True):
    """A bin of answers whose certainty is greater than `low` and at most `high`.

    The lowest bin also contains answers with a certainty of 0. `count` is the number of answers,
    `right` the number of correct ones, and `certainty` the mean certainty of all answers (0 to 1).
    """

    low: float
    high: float
    count: int
    right: int
    certainty: float

    @property
    def share_right(self) -> float:
        """The fraction of correct answers (0 to 1). It is 0 for an empty bin."""
        return self.right / self.count if self.count else 0.0

    @property
    def gap(self) -> float:
        """The mean confidence minus the accuracy.

        A positive gap means that the model is overconfident.
        """
        return self.certainty - self.share_right


def bins(answers: Iterable[tuple[float, bool]], edges: Sequence[float] = EDGES) -> tuple[Bin, ...]:
    """Sort answers into the bins between adjacent `edges`.

    Each answer has a certainty (0 to 1) and a flag, which is True if the answer is correct.
    """
    answers = list(answers)
    found = []
    for low, high in pairwise(edges):
        inside = [(p, right) for p, right in answers if low < p <= high or p == low == 0]
        mean = sum(p for p, _ in inside) / len(inside) if inside else 0.0
        found.append(Bin(low, high, len(inside), sum(right for _, right in inside), mean))
    return tuple(found)


def expected_error(found: Iterable[Bin]) -> float:
    """Return the expected calibration error (0 to 1). It is 0 if there are no answers."""
    found = list(found)
    total = sum(each.count for each in found)
    return sum(each.count * abs(each.gap) for each in found) / total if total else 0.0
