"""Choose where the network runs: on a GPU that PyTorch supports, or on the CPU.

The environment variable TUTOR_DEVICE decides (the command line's `--device` sets it, and the
engine's process inherits it). On a GPU, weights are 16-bit floats and multiplied by the GPU's own
kernels; the packed formats with fewer bits are for CPUs. Tokens go to the GPU and vectors stay
there. Scores come back to the CPU for sampling, so that a token is drawn in the same way on every
device.
"""

from __future__ import annotations

import os

import torch

from tutor.errors import UsageError
from tutor.lm.distribution import DEVICES
from tutor.lm.fast.kernels import Kernels

VARIABLE = "TUTOR_DEVICE"

# What PyTorch raises if a GPU is absent, full, or lacks an operation or a number format.
DEVICE_ERRORS = (RuntimeError, AssertionError, TypeError)

ON_GPU = Kernels(int4=False, int8=False)


def choose_device() -> str:
    """Return "cuda", "mps" or "cpu": the requested device, else the first available one.

    Raises `UsageError` for any other name.
    """
    wanted = os.environ.get(VARIABLE) or "auto"
    if wanted not in DEVICES:
        raise UsageError(
            f"{VARIABLE} is {wanted!r}, which is not a device.",
            f"Use one of {', '.join(DEVICES)}.",
        )
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
