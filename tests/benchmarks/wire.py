"""Measure how many bytes tutor sends and receives over SSH.

    python -m tests.benchmarks.wire

`tutor` runs at 80x24 in a session of OpenSSH's server on the loopback interface. Bytes are counted
at the learner's terminal, and as TCP payload, which includes SSH's encryption and the key presses.
The numbers do not depend on the speed of the machine, except while the model generates: a slow
machine sends fewer bytes per second.

This needs the default model, installed or named by TUTOR_MODEL, and OpenSSH's server and client.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests import ssh_session
from tests.benchmarks.table import Measured, markdown
from tests.ssh_server import SshServer
from tests.ssh_session import Costs
from tutor.models import find_model
from tutor.paths import packed_folder, user_models_folder

KILOBYTE = 1000
PAINTINGS = 8.0
"""The maximum number of repaints per second while the model generates."""
_WAYS = (("over SSH", (), 1.0), ("with --low-bandwidth", ("--low-bandwidth",), 0.5))
"""Each mode's name, command-line arguments, and the fraction of the budget that it may use."""


def costs(*arguments: str) -> Costs:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "learner"
        data.mkdir()
        (data / "models").symlink_to(user_models_folder())
        (data / "cache").mkdir()
        (data / "cache" / "packed").symlink_to(packed_folder())
        keys = Path(folder) / "server"
        keys.mkdir()
        with SshServer(keys) as server:
            model = str(find_model().path)
            return ssh_session.measure(server, data, *arguments, model=model, quiet=1.5)


def rows(name: str, found: Costs, share: float) -> list[Measured]:
    budgets = {
        "a key typed in a prompt": ("kB", found.key, 2),
        "a page of a lesson": ("kB", found.page, 12),
        "a step of the stepper": ("kB", found.step, 4),
        "the stepper generating": ("kB/s", found.running, 8),
    }
    return [
        Measured(f"{what} {name}", unit, cost.tcp / KILOBYTE, budget, share)
        for what, (unit, cost, budget) in budgets.items()
    ] + [
        Measured(
            f"repaints per second while the stepper generates {name}",
            "1/s",
            found.paintings,
            PAINTINGS,
            share,
        ),
        Measured(f"two seconds without a key press {name}", "kB", found.idle.tcp / KILOBYTE, 1, 0),
    ]


def measure() -> list[Measured]:
    """Return the rows about bytes over SSH, with the budget as the peer."""
    found = [(name, costs(*arguments), share) for name, arguments, share in _WAYS]
    return [row for each in found for row in rows(*each)]


if __name__ == "__main__":
    print(markdown(measure()))
