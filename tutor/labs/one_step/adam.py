"""The Adam optimizer, for one weight.

Let g be the gradient of the loss with respect to a weight w. In each step t = 1, 2, ..., Adam
computes:

    m = b1 m + (1 - b1) g            running mean of the gradients
    v = b2 v + (1 - b2) g^2          running mean of the squared gradients
    m^ = m / (1 - b1^t)              bias correction: since m and v start at 0,
    v^ = v / (1 - b2^t)              the first means are too small by these factors
    w = w - rate m^ / (sqrt(v^) + epsilon)

The training itself uses PyTorch's Adam (`tutor.lm.training.train.make_optimizer`). This module
repeats the computation in plain Python, so that the lab can show every intermediate result.

Source: Kingma & Ba 2014 (Adam), algorithm 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

BETAS = (0.9, 0.95)
EPSILON = 1e-8
RATE = 0.01
"""The learning rate in this lab."""


class Move(NamedTuple):
    """Adam's update of one weight.

    Attributes:
        weight: The weight w before the step.
        gradient: The gradient g.
        mean_before: The running mean m before the step.
        square_before: The running mean v before the step.
        mean: The new m.
        square: The new v.
        corrected_mean: The new m after bias correction.
        corrected_square: The new v after bias correction.
        change: The amount that is added to the weight.
    """

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
    """Compute Adam's update of a weight in step `number`, counted from 1.

    `mean` and `square` are the running means m and v after the previous step.
    """
    new_mean = BETAS[0] * mean + (1 - BETAS[0]) * gradient
    new_square = BETAS[1] * square + (1 - BETAS[1]) * gradient**2
    corrected_mean = new_mean / (1 - BETAS[0] ** number)
    corrected_square = new_square / (1 - BETAS[1] ** number)
    change = -rate * corrected_mean / (math.sqrt(corrected_square) + EPSILON)
    return Move(
        weight, gradient, mean, square, new_mean, new_square, corrected_mean, corrected_square,
        change,
    )  # fmt: skip
