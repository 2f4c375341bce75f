"""Merging ranked lists, and measuring how good a ranked list is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

Item = TypeVar("Item")

RANK_CONSTANT = 60
"""As in Cormack et al. 2009: the larger, the less the first places of a list count more."""


def fused(*rankings: Sequence[Item]) -> list[tuple[Item, float]]:
    """Reciprocal rank fusion (Cormack et al. 2009): an item scores 1 / (60 + rank) in each list
    that has it, and the best come first. It needs ranks alone: scores of different kinds, which
    could not be added, do not matter."""
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (RANK_CONSTANT + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])


def first_right(ranking: Sequence[Item], right: Collection[Item]) -> int:
    """The rank (from 1) of the first item that is right; 0 where none is."""
    return next((rank for rank, item in enumerate(ranking, start=1) if item in right), 0)


def recall_at(ranks: Sequence[int], most: int) -> float:
    """The share of questions with something right among the first `most`. `ranks` are those of
    `first_right`."""
    return sum(0 < rank <= most for rank in ranks) / len(ranks)


def mean_reciprocal_rank(ranks: Sequence[int]) -> float:
    """MRR: the mean of 1 / rank of the first that is right, 0 where none is."""
    return sum(1 / rank for rank in ranks if rank) / len(ranks)
