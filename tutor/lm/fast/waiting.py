"""Set how the threads of a matrix multiplication wait for each other.

This module doesn't import torch.

Between two matrix multiplications, one thread has about 40 microseconds of small tasks. PyTorch's
threads come from OpenMP, which lets the other threads spin (wait actively) for milliseconds. On a
busy machine, a spinning thread takes CPU time from the thread that it is waiting for: with two
cores and a load average of 10, a step took 370 to 910 ms, but only 80 to 100 ms if waiting threads
went to sleep immediately. On an idle machine, going to sleep immediately makes a step take 1.6
times as long, because waking up takes longer than the wait. So we let threads spin for about as
long as the wait takes on an idle machine, and then sleep.
"""

from __future__ import annotations

import os

# The number of times that an idle thread spins before it sleeps, for GNU's OpenMP library. One spin
# is a "pause" instruction of about 25 ns, so this is 0.1 ms.
SPINS = 4000

# The time in milliseconds that an idle thread spins before it sleeps, for the OpenMP libraries of
# LLVM and Intel. 1 ms is the shortest time above 0 that they support.
BLOCK_TIME = 1


def settle_waiting() -> None:
    """Set environment variables that control how threads wait, unless the user has set them.

    Call this before torch is imported, because OpenMP reads the environment at that time.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
        os.environ.setdefault("KMP_BLOCKTIME", str(BLOCK_TIME))
