"""How the threads that multiply wait for each other. Nothing here imports torch.

Between two matrix products there are some 40 microseconds of small work for one thread. OpenMP,
which PyTorch's threads come from, lets the others spin meanwhile, for milliseconds. On a machine
with other work, a spinning thread burns the time in which the one it waits for could run: with
two cores and a load of 10 a step took 370 to 910 ms so, and 80 to 100 where waiting threads slept
at once. But sleeping at once costs an idle machine 1.6 times the time, since waking takes longer
than the wait. So they spin about as long as the wait is on an idle machine, and then sleep.
"""

from __future__ import annotations

import os

# One spin of GNU's library is a "pause", about 25 ns: 0.1 ms.
SPINS = 4000

# The shortest that LLVM's and Intel's library have, short of none, in milliseconds.
BLOCK_TIME = 1


def settle_waiting() -> None:
    """Call before torch is imported: the library reads the environment then. What the user has
    set stays."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
        os.environ.setdefault("KMP_BLOCKTIME", str(BLOCK_TIME))
