"""softmax(q·k / √size) · v for one token of one head, in plain Python, one step after another.

The same as `attention_weights` and `attend` in `tutor.lm.network` (Vaswani et al. 2017, section
3.2.1), which do all tokens and heads at once. Vectors are sequences of numbers, one for each of
the head's dimensions; `scores` and `shares` have one number for each token of the text.
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
    """1. How well does the query fit each key?"""
    return [dot(query, key) for key in keys]


def scaled(scores: Sequence[float], size: int) -> list[float]:
    """2. Divided by the root of the head's size: sums of more products are larger by chance."""
    return [score / math.sqrt(size) for score in scores]


def masked(scores: Sequence[float], position: int) -> list[float]:
    """3. What comes after `position` may not be looked at."""
    return [score if at <= position else -math.inf for at, score in enumerate(scores)]


def softmax(scores: Sequence[float]) -> list[float]:
    """4. e^score, divided by the sum of them all: shares that add up to 1."""
    highest = max(scores)  # taken from all alike, it changes no share and keeps e^x in range
    powers = [math.exp(score - highest) for score in scores]
    return [power / sum(powers) for power in powers]


def weighted_sum(shares: Sequence[float], values: Sequence[Vector]) -> list[float]:
    """5. The values, each times its share, added up: what the head hands on."""
    return [dot(shares, numbers) for numbers in zip(*values, strict=True)]
