"""Set how the threads of a matrix product wait for each other. Nothing here imports torch.

Between two matrix products there are about 40 microseconds of small tasks for one thread. PyTorch's
threads come from OpenMP, which lets the other threads spin while they wait, for milliseconds. On a
busy machine, a spinning thread takes processor time from the thread that it is waiting for: with
two cores and a load of 10, a step took 370 to 910 ms, but only 80 to 100 ms if waiting threads
slept at once. On an idle machine, sleeping at once makes a step take 1.6 times as long, since
waking up takes longer than the wait. So threads spin for about as long as they wait on an idle
machine, and then sleep.
"""

from __future__ import annotations

import os

# In GNU's library, one spin is a "pause" instruction of about 25 ns, so this is 0.1 ms.
SPINS = 4000

# In milliseconds: the shortest time above 0 in the libraries of LLVM and Intel.
BLOCK_TIME = 1


def settle_waiting() -> None:
    """Set the environment variables that control waiting, unless the user has set them.

    Call this before torch is imported, because the library reads the environment then.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
        os.environ.setdefault("KMP_BLOCKTIME", str(BLOCK_TIME))
