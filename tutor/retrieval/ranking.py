"""Merges ranked lists, and measures how good a ranked list is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

Item = TypeVar("Item")

RANK_CONSTANT = 60
"""The constant of Cormack et al. 2009. The larger it is, the less the top ranks stand out."""


def fused(*rankings: Sequence[Item]) -> list[tuple[Item, float]]:
    """Merge ranked lists by reciprocal rank fusion (Cormack et al. 2009), best items first.

    An item scores 1 / (60 + rank) in each list that contains it. Only ranks count, so it does not
    matter that scores of different kinds cannot be added.
    """
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (RANK_CONSTANT + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])


def first_right(ranking: Sequence[Item], right: Collection[Item]) -> int:
    """Return the rank (from 1) of the first right item, or 0 if there is none."""
    return next((rank for rank, item in enumerate(ranking, start=1) if item in right), 0)


def recall_at(ranks: Sequence[int], most: int) -> float:
    """Return the fraction of questions with a right item among the first `most`.

    `ranks` are results of `first_right`.
    """
    return sum(0 < rank <= most for rank in ranks) / len(ranks)


def mean_reciprocal_rank(ranks: Sequence[int]) -> float:
    """Return the MRR: the mean of 1 / rank of the first right item, or 0 where there is none."""
    return sum(1 / rank for rank in ranks if rank) / len(ranks)
