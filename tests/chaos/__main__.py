"""Test that no answer is lost when sessions end in different ways: `python -m tests.chaos`.

In every cycle, two sessions work at the same time until one of the events in `tests.chaos.endings`
happens. Then tutor starts. Every answer that was reported as saved must be stored exactly once, and
tutor must report any damage that it found. A new learner begins every 25 cycles.

The seed determines the actions, their order and the bytes that they change, but not how the system
schedules the two sessions. The exit status is 1 if an answer was lost or stored twice, or if damage
was not reported.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.disk import Disk, OrdinaryDisk, SmallDisk, namespace
from tests.chaos.endings import ENDINGS, Cycle, Learner, read_only
from tests.chaos.table import Table

CYCLES_OF_A_LEARNER = 25
APP_EVERY = 20
"""The interval, in cycles, at which the whole app is started in a terminal."""
MOUNTS = "TUTOR_CHAOS_MOUNTS"


def main() -> int:
    options = _options()
    if MOUNTS not in os.environ:
        inside = namespace()
        environment = {**os.environ, MOUNTS: "yes" if inside else "no"}
        command = [*(inside or ()), sys.executable, "-m", "tests.chaos", *sys.argv[1:]]
        os.execvpe(command[0], command, environment)
    place = Path(tempfile.mkdtemp(prefix="tutor-chaos-"))
    disk = SmallDisk(place) if os.environ[MOUNTS] == "yes" else OrdinaryDisk(place)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}, {options.cycles} cycles; full disk: {disk.full_means}", flush=True)
    try:
        table = run(disk, seed, options.first, options.cycles)
    finally:
        disk.close()
    print(table.markdown())
    return 1 if table.failures else 0


def run(disk: Disk, seed: int, first: int, count: int) -> Table:
    endings = dict(ENDINGS)
    if not disk.can_be_read_only:
        del endings[next(name for name, act in ENDINGS.items() if act is read_only)]
    table = Table(endings, disk, seed)
    learner = Learner(disk)
    began = time.monotonic()
    for number in range(first, first + count):
        if (number - 1) % CYCLES_OF_A_LEARNER == 0:
            learner = _another(learner)
        chance = random.Random(f"{seed}:{number}")
        name = _ending(seed, number, list(endings))
        cycle = Cycle(learner, chance, f"{seed}:{number}", app=number % APP_EVERY == 0)
        app = cycle.app
        try:
            endings[name](cycle)
        except Exception as error:  # noqa: BLE001  (any error is a finding)
            kept = _keep(learner, number)
            print(f"cycle {number}, {name}: {type(error).__name__}: {error}", flush=True)
            begin = number - (number - 1) % CYCLES_OF_A_LEARNER
            print(
                f"  again: python -m tests.chaos --seed {seed} --first {begin} "
                f"--cycles {number - begin + 1}\n  files: {kept}",
                flush=True,
            )
            table.add(name, cycle, app=app, failed=True)
            disk.empty()
            learner = _another(learner)
        else:
            table.add(name, cycle, app=app)
        if number % 100 == 0:
            print(f"{number} cycles, {time.monotonic() - began:.0f} s", flush=True)
    table.seconds = time.monotonic() - began
    return table


def _another(learner: Learner) -> Learner:
    learner.remove()
    return Learner(learner.disk)


def _ending(seed: int, number: int, names: list[str]) -> str:
    """Return the event of a cycle. All events are equally frequent, in a new order each round."""
    turn, place = divmod(number - 1, len(names))
    random.Random(f"{seed}:turn {turn}").shuffle(names)
    return names[place]


def _keep(learner: Learner, number: int) -> Path:
    kept = Path(tempfile.mkdtemp(prefix=f"tutor-chaos-cycle-{number}-"))
    if learner.folder.exists():
        shutil.copytree(learner.folder, kept / "me")
    return kept


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--cycles", type=int, default=100, metavar="N", help="(default: 100)")
    parser.add_argument("--seed", type=int, metavar="N", help="(default: a new one each time)")
    parser.add_argument(
        "--first", type=int, default=1, metavar="N", help="the first cycle to run (default: 1)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
