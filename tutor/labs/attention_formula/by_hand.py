"""Compute softmax(q·k / √size) · v for one token and one head in plain Python, step by step.

The functions `attention_weights` and `attend` in `tutor.lm.network` perform the same computation
for all tokens and heads at once (Vaswani et al. 2017, section 3.2.1).

A vector is a sequence with one number for each dimension of the head. The arguments `scores` and
`weights` have one number for each token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Vector = Sequence[float]


def dot(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def length(a: Vector) -> float:
    return math.sqrt(dot(a, a))


def products(query: Vector, keys: Sequence[Vector]) -> list[float]:
    """Step 1: compute the dot product of the query with each key."""
    return [dot(query, key) for key in keys]


def scaled(scores: Sequence[float], size: int) -> list[float]:
    """Step 2: divide each score by the square root of the head's size.

    Dot products of longer vectors tend to be larger. The division compensates for that.
    """
    return [score / math.sqrt(size) for score in scores]


def masked(scores: Sequence[float], position: int) -> list[float]:
    """Step 3: mask the tokens after `position`, by setting their scores to minus infinity."""
    return [score if at <= position else -math.inf for at, score in enumerate(scores)]


def softmax(scores: Sequence[float]) -> list[float]:
    """Step 4: turn the scores into weights that sum to 1.

    Each weight is e^score, divided by the sum of e^score over all tokens.
    """
    highest = max(scores)  # Subtracted to prevent overflow. The weights don't change.
    powers = [math.exp(score - highest) for score in scores]
    return [power / sum(powers) for power in powers]


def weighted_sum(weights: Sequence[float], values: Sequence[Vector]) -> list[float]:
    """Step 5: multiply each value by its weight, and add the products.

    The sum is the head's output.
    """
    return [dot(weights, numbers) for numbers in zip(*values, strict=True)]
