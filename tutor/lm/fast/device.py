"""Where the network runs: on a graphics card that PyTorch can use, or on the CPU.

What decides is TUTOR_DEVICE (the command line's `--device` sets it, and the engine's process
inherits it). On a card the weights are 16-bit floats, multiplied by the card's own kernels; the
packed forms of few bits are for CPUs. Tokens go to the card and vectors stay there; scores come
back to the CPU, where sampling is, so that a draw is made in the same way everywhere.
"""

from __future__ import annotations

import os

import torch

from tutor.errors import UsageError
from tutor.lm.distribution import DEVICES
from tutor.lm.fast.kernels import Kernels

VARIABLE = "TUTOR_DEVICE"

# What PyTorch raises for a card that is absent, full, or lacks an operation or a number format.
TROUBLES = (RuntimeError, AssertionError, TypeError)

ON_A_CARD = Kernels(int4=False, int8=False)


def choose_device() -> str:
    """ "cuda", "mps" or "cpu": the one asked for, else the first of these that is there. Raises
    `UsageError` for another name."""
    wanted = os.environ.get(VARIABLE) or "auto"
    if wanted not in DEVICES:
        raise UsageError(
            f"{VARIABLE} is {wanted!r}, which is no device.", f"Use {', '.join(DEVICES)}."
        )
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
