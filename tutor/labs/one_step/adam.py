"""Adam, the optimizer, for one weight.

With the slope g of the loss for a weight w, step by step (t = 1, 2, ...),

    m = b1 m + (1 - b1) g            running mean of the slopes
    v = b2 v + (1 - b2) g^2          running mean of their squares
    m^ = m / (1 - b1^t)              both begin at 0: the first means are too small by this factor
    v^ = v / (1 - b2^t)
    w = w - rate m^ / (sqrt(v^) + epsilon)

Training itself uses PyTorch's (`tutor.lm.training.train.make_optimizer`); this is the same in plain
Python, to look at.

Source: Kingma & Ba 2014 (Adam), algorithm 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

BETAS = (0.9, 0.95)
EPSILON = 1e-8
RATE = 0.01
"""The learning rate of the training that is looked at step by step (`tutor.labs.one_step.step`)."""


class Move(NamedTuple):
    """What Adam does to one weight: what it had, what it computes, where the weight goes."""

    weight: float
    gradient: float
    mean_before: float
    square_before: float
    mean: float
    square: float
    corrected_mean: float
    corrected_square: float
    change: float


def adam_move(
    weight: float, gradient: float, mean: float, square: float, number: int, rate: float = RATE
) -> Move:
    """The move of step `number` (from 1). `mean` and `square` are those of the steps before."""
    new_mean = BETAS[0] * mean + (1 - BETAS[0]) * gradient
    new_square = BETAS[1] * square + (1 - BETAS[1]) * gradient**2
    corrected_mean = new_mean / (1 - BETAS[0] ** number)
    corrected_square = new_square / (1 - BETAS[1] ** number)
    change = -rate * corrected_mean / (math.sqrt(corrected_square) + EPSILON)
    return Move(
        weight, gradient, mean, square, new_mean, new_square, corrected_mean, corrected_square,
        change,
    )  # fmt: skip
