"""Merge ranked lists of search results, and measure their quality."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

Item = TypeVar("Item")

RANK_CONSTANT = 60
"""The constant k of Cormack et al. 2009.

The larger it is, the smaller the advantage of the top ranks.
"""


def fused(*rankings: Sequence[Item]) -> list[tuple[Item, float]]:
    """Merge ranked lists by reciprocal rank fusion (Cormack et al. 2009), best items first.

    An item's score is the sum of 1 / (60 + rank) over the lists that contain it. The original
    scores are not used, so the scores of different lists need not be comparable.
    """
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (RANK_CONSTANT + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])


def first_right(ranking: Sequence[Item], right: Collection[Item]) -> int:
    """Return the rank of the first item that is in `right`, from 1, or 0 if there is none."""
    return next((rank for rank, item in enumerate(ranking, start=1) if item in right), 0)


def recall_at(ranks: Sequence[int], most: int) -> float:
    """Return the fraction of questions with a relevant item among the first `most` results.

    `ranks` contains the result of `first_right` for each question.
    """
    return sum(0 < rank <= most for rank in ranks) / len(ranks)


def mean_reciprocal_rank(ranks: Sequence[int]) -> float:
    """Return the mean reciprocal rank (MRR) of a search over several questions.

    `ranks` contains the result of `first_right` for each question. A question contributes 1 / rank
    to the mean, or 0 if no relevant item was found.
    """
    return sum(1 / rank for rank in ranks if rank) / len(ranks)
