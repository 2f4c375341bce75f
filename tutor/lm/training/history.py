"""The history of a training run that the learner watches. This module doesn't import torch."""

from __future__ import annotations

import msgspec

CONTEXT, BATCH = 64, 8
BYTES_PER_STEP = CONTEXT * BATCH
PROMPT = b"The "
SAMPLED = CONTEXT - len(PROMPT)
"""The number of bytes in a sample, which fills one window together with the prompt."""
LARGEST_LOSS = 99.0
"""The maximum loss that is stored. It also replaces a loss that is not a number."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """The mean loss of the steps since the previous point, in nats per byte.

    `step` is the last of these steps. The other fields are the learner's choices for the steps.
    """

    step: int
    loss: float
    rate: float
    mask: bool
    shuffled: bool


class Measured(msgspec.Struct, frozen=True, array_like=True):
    """The held-out loss after `step` steps, in nats per byte, and a sample.

    The loss is measured with the causal mask if training uses the mask, and without it otherwise.
    `sample` is the text that the network generates after the prompt.
    """

    step: int
    loss: float
    sample: bytes


class History(msgspec.Struct):
    """All points and measurements of a run."""

    points: list[Point] = []
    measured: list[Measured] = []


def bounded(loss: float) -> float:
    """Return the loss, limited to `LARGEST_LOSS`, so that it can be plotted and saved."""
    return loss if loss < LARGEST_LOSS else LARGEST_LOSS
