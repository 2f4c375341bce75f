"""Choose where the network runs: on a GPU that PyTorch supports, or on the CPU.

The environment variable TUTOR_DEVICE names the device (the option `--device` sets the variable, and
the engine process inherits it). On a GPU, weights are 16-bit floats; the packed formats with fewer
bits are for CPUs. Token ids are copied to the GPU, and vectors stay on the GPU. Logits are copied
back to the CPU for sampling, so tokens are drawn in the same way on every device.
"""

from __future__ import annotations

import os

import torch

from tutor.errors import UsageError
from tutor.lm.distribution import DEVICES
from tutor.lm.fast.kernels import Kernels

VARIABLE = "TUTOR_DEVICE"

# PyTorch raises one of these errors if there is no GPU, if the GPU's memory is full, or if the GPU
# doesn't support an operation or number format.
DEVICE_ERRORS = (RuntimeError, AssertionError, TypeError)

ON_GPU = Kernels(int4=False, int8=False)


def choose_device() -> str:
    """Return the requested device or, for "auto", the best available one.

    The result is "cuda", "mps" or "cpu". Raises `UsageError` for any other name.
    """
    wanted = os.environ.get(VARIABLE) or "auto"
    if wanted not in DEVICES:
        raise UsageError(
            f"{VARIABLE} is {wanted!r}, which is not supported.",
            f"Use one of {', '.join(DEVICES)}.",
        )
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
