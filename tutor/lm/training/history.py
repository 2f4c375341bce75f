"""The measurements of a training run that the learner watches. This module doesn't import torch."""

from __future__ import annotations

import msgspec

CONTEXT, BATCH = 64, 8
BYTES_PER_STEP = CONTEXT * BATCH
PROMPT = b"The "
SAMPLED = CONTEXT - len(PROMPT)
"""The number of bytes in a sample. The prompt and a sample together fill the context window."""
LARGEST_LOSS = 99.0
"""The maximum loss to store. A loss that is larger or not a number is stored as this value."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """A point of the loss curve: the mean loss of several training steps, in nats per byte.

    The mean includes all steps since the previous point; `step` is the last of them. The other
    fields are the learner's choices for these steps.
    """

    step: int
    loss: float
    rate: float
    mask: bool
    shuffled: bool


class Measured(msgspec.Struct, frozen=True, array_like=True):
    """The loss on held-out text after `step` steps, in nats per byte, and a sample.

    The loss is measured with the causal mask if training uses the mask, and without it otherwise.
    `sample` is the text that the network generates after the prompt.
    """

    step: int
    loss: float
    sample: bytes


class History(msgspec.Struct):
    """All points of a run's loss curve, and all measurements on held-out text."""

    points: list[Point] = []
    measured: list[Measured] = []


def bounded(loss: float) -> float:
    """Return the loss, limited to `LARGEST_LOSS`, so that it can be plotted and saved."""
    return loss if loss < LARGEST_LOSS else LARGEST_LOSS
