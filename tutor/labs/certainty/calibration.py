"""How far stated probabilities can be taken at their word.

Answers are sorted into bins by how certain they were. In each bin the mean certainty is held
against the share of answers that were right: where they agree, the answers are calibrated. The
expected calibration error is the gap, averaged over all answers (Naeini et al. 2015; Guo et al.
2017):

    ECE = sum over bins of  (answers in the bin / all answers) * |share right - mean certainty|
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

EDGES = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Where bins begin and end: of equal width where answers are found, one for the few below."""


class Bin(msgspec.Struct, frozen=True):
    """The answers whose certainty is above `low` (or 0) and at most `high`: how many, how many of
    them right, and how certain they were on average (0 to 1)."""

    low: float
    high: float
    count: int
    right: int
    certainty: float

    @property
    def share_right(self) -> float:
        """0 to 1; 0 where there is no answer."""
        return self.right / self.count if self.count else 0.0

    @property
    def gap(self) -> float:
        """How much more certain than right; below 0 where it was too modest."""
        return self.certainty - self.share_right


def bins(answers: Iterable[tuple[float, bool]], edges: Sequence[float] = EDGES) -> tuple[Bin, ...]:
    """From certainties (0 to 1) and whether each was right, one bin between two `edges`."""
    answers = list(answers)
    found = []
    for low, high in pairwise(edges):
        inside = [(p, right) for p, right in answers if low < p <= high or p == low == 0]
        mean = sum(p for p, _ in inside) / len(inside) if inside else 0.0
        found.append(Bin(low, high, len(inside), sum(right for _, right in inside), mean))
    return tuple(found)


def expected_error(found: Iterable[Bin]) -> float:
    """The expected calibration error, 0 to 1; 0 where there is no answer."""
    found = list(found)
    total = sum(each.count for each in found)
    return sum(each.count * abs(each.gap) for each in found) / total if total else 0.0
