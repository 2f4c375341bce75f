"""What is known of a training that somebody looks on at. Knows nothing of PyTorch."""

from __future__ import annotations

import msgspec

CONTEXT, BATCH = 64, 8
BYTES_A_STEP = CONTEXT * BATCH
PROMPT = b"The "
SAMPLED = CONTEXT - len(PROMPT)
"""Bytes of a sample: with the prompt, as many as one window."""
NO_NUMBER = 99.0
"""Stands for every loss above it, and for one that is no number any more."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """The mean loss of the steps up to `step` since the point before, in nats a byte, and how they
    were taken."""

    step: int
    loss: float
    rate: float
    mask: bool
    shuffled: bool


class Measured(msgspec.Struct, frozen=True, array_like=True):
    """The loss on the held-out text after `step` steps, in nats a byte, with the mask or without,
    as it is trained then. `sample` is what the network writes after the prompt."""

    step: int
    loss: float
    sample: bytes


class History(msgspec.Struct):
    points: list[Point] = []
    measured: list[Measured] = []


def tame(loss: float) -> float:
    """A loss that can be drawn and written to a file."""
    return loss if loss < NO_NUMBER else NO_NUMBER
