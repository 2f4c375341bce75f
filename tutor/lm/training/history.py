"""The history of a training run that the learner watches. Nothing here imports torch."""

from __future__ import annotations

import msgspec

CONTEXT, BATCH = 64, 8
BYTES_PER_STEP = CONTEXT * BATCH
PROMPT = b"The "
SAMPLED = CONTEXT - len(PROMPT)
"""The length of a sample in bytes: with the prompt, it fills one window."""
LARGEST_LOSS = 99.0
"""The upper bound of stored losses, also used for a loss that is not a number."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """The mean loss of the steps since the previous point, in nats per byte.

    `step` is the last of these steps; the other fields are the learner's choices for them.
    """

    step: int
    loss: float
    rate: float
    mask: bool
    shuffled: bool


class Measured(msgspec.Struct, frozen=True, array_like=True):
    """The held-out loss after `step` steps, in nats per byte, and a sample.

    The loss is measured with the mask if training uses it, else without. `sample` is what the
    network generates after the prompt.
    """

    step: int
    loss: float
    sample: bytes


class History(msgspec.Struct):
    """All points and measurements of a run."""

    points: list[Point] = []
    measured: list[Measured] = []


def bounded(loss: float) -> float:
    """Return a loss that can be drawn and written to a file."""
    return loss if loss < LARGEST_LOSS else LARGEST_LOSS
