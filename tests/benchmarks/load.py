"""Measure a class of many learners who share one engine on one machine.

    python -m tests.benchmarks load         (or: python -m tests.benchmarks.load [--learners N])

- Fifty simulated learners, each with a different text, take a step every two seconds, while five
  more generate text without pause. All of them run in one process and use the engine's protocol
  over its socket.
- Fifty real `tutor` processes, each in its own terminal, take a step every two seconds after a key
  press.
- The engine is killed with kill -9 while twenty learners use it. The time is measured until each of
  them has a distribution again.

The learners' processes run on the same machine as the engine, and use the same cores. If a row has
no peer, the second figure is the limit.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.benchmarks.screen import STEPPER
from tests.benchmarks.table import Measured
from tests.terminal import Terminal
from tutor.engine.api import AsyncModelSession
from tutor.engine.client import EngineClient
from tutor.engine.connection import load_of
from tutor.lm.distribution import PLAIN
from tutor.models import find_model
from tutor.paths import user_models_folder

LEARNERS, RUNNING_ON = 50, 5
EVERY = 2.0
SECONDS = 60.0
LONGEST = 200
"""The number of tokens after which a learner returns to the beginning of the text."""
STEP_LIMIT_MS = 150.0
KEY_LIMIT_MS = 250.0
ENGINE_LIMIT_MB = 1200.0
LEARNER_LIMIT_MB = 45.0
KILLED_WITH = 20
"""The number of learners who are connected when the engine is killed."""
BACK_LIMIT = 5.0
"""Seconds."""
_MEGABYTE = 1e6
_TEXT = "The history of the city number {} begins with a small harbor at the mouth of the river"


@contextmanager
def engine(folder: Path, screens: int) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """Yield a running `tutor engine` and its socket."""
    path = folder / "engine.sock"
    command = [sys.executable, "-m", "tutor", "engine", f"--socket={path}"]
    command += [f"--model={find_model().path}", f"--of-one-account={screens}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield path, process
        finally:
            process.terminate()


def worker_of(process: subprocess.Popen[str]) -> psutil.Process:
    """Return the process that serves the learners. The spare engine's process is newer."""
    return min(psutil.Process(process.pid).children(), key=lambda each: each.create_time())


# --- simulated learners ---------------------------------------------------------------------------


class Learner:
    def __init__(self, number: int, socket: Path) -> None:
        self.engine = EngineClient(shared=socket)
        self.number = number
        self.taken: list[float] = []
        """The time from each request for a step to its distribution, in seconds."""

    async def begin(self) -> None:
        await self.engine.start()
        self.session = await self.engine.open_text(_TEXT.format(self.number))
        self.beginning = len(self.session.tokens)
        await step(self.session, 0)

    async def step(self, seed: int) -> None:
        if len(self.session.tokens) >= LONGEST:
            self.session.go_back(self.beginning)
        begin = time.perf_counter()
        await step(self.session, seed)
        self.taken.append(time.perf_counter() - begin)

    async def step_now_and_then(self, until: float) -> None:
        due = time.perf_counter() + random.uniform(0, EVERY)
        while (wait := due - time.perf_counter()) + time.perf_counter() < until:
            await asyncio.sleep(max(0.0, wait))
            await self.step(seed=len(self.taken))
            due += EVERY

    async def run_on(self, until: float) -> None:
        while time.perf_counter() < until:
            await self.step(seed=len(self.taken))


async def step(session: AsyncModelSession, seed: int) -> None:
    """Take a step like the stepper: ask for the distribution, and add the token drawn."""
    found = await session.distribution(len(session.tokens), PLAIN, seed, top=10)
    session.append([found.drawn.token])  # sent with the next question


async def simulate(
    socket: Path, process: subprocess.Popen[str], learners: int, seconds: float
) -> list[Measured]:
    random.seed(1)
    everybody = [Learner(number, socket) for number in range(learners + RUNNING_ON)]
    stepping, running = everybody[:learners], everybody[learners:]
    for learner in everybody:
        await learner.begin()
    end = time.perf_counter() + seconds
    await asyncio.gather(
        *[learner.step_now_and_then(end) for learner in stepping],
        *[learner.run_on(end) for learner in running],
    )
    steps = sorted(1000 * each for learner in stepping for each in learner.taken)
    memory = worker_of(process).memory_full_info()
    load = await load_of(socket)
    per_second = sum(len(learner.taken) for learner in running) / seconds
    shares = [len(learner.taken) for learner in running]
    print(
        f"{len(steps)} steps, median {statistics.median(steps):.0f} ms; {RUNNING_ON} generate "
        f"{per_second:.1f} tokens a second together ({min(shares)} to {max(shares)} each); "
        f"{load.together / load.steps:.0%} of the tokens processed in a batch; "
        f"engine USS {memory.uss / _MEGABYTE:.0f} MB, caches {load.cached / _MEGABYTE:.0f} MB",
        file=sys.stderr,
    )
    for learner in everybody[KILLED_WITH:]:
        await learner.engine.stop()
    left = everybody[:KILLED_WITH]
    back = await killed(process, left)
    for learner in left:
        await learner.engine.stop()
    what = f"{learners} learners step every {EVERY:g} s, {RUNNING_ON} generate"
    return [
        Measured(
            f"{what}: time for a step (95th percentile)",
            "ms",
            percentile(steps),
            STEP_LIMIT_MS,
            1.0,
        ),
        Measured(
            f"{what}: memory of the engine (PSS)",
            "MB",
            memory.pss / _MEGABYTE,
            ENGINE_LIMIT_MB,
            1.0,
        ),
        Measured(
            f"time from kill -9 of the engine until all {len(left)} learners can continue",
            "s",
            back,
            BACK_LIMIT,
            1.0,
        ),
    ]


async def killed(process: subprocess.Popen[str], everybody: list[Learner]) -> float:
    """Return the seconds from kill -9 until each learner has their next distribution."""
    before = {learner.number: learner.session.tokens for learner in everybody}
    worker_of(process).kill()
    begin = time.perf_counter()

    async def go_on(learner: Learner) -> None:
        while learner.engine.generation < 2:
            await asyncio.sleep(0.01)
        await learner.session.distribution(len(learner.session.tokens), PLAIN, 0, 10)

    await asyncio.gather(*map(go_on, everybody))
    assert before == {learner.number: learner.session.tokens for learner in everybody}
    return time.perf_counter() - begin


def percentile(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


# --- real learners --------------------------------------------------------------------------------


@contextmanager
def screen(folder: Path, socket: Path) -> Iterator[Terminal]:
    """Start `tutor` for a new learner, on the shared engine."""
    folder.mkdir()
    (folder / "models").symlink_to(user_models_folder())
    environment = {"TUTOR_DATA": str(folder), "TUTOR_ENGINE": str(socket), "TUTOR_MODEL": None}
    with Terminal([sys.executable, "-m", "tutor"], environment=environment) as run:
        yield run


def real(socket: Path, place: Path, learners: int, seconds: float) -> list[Measured]:
    with ExitStack() as stack:
        screens: list[Terminal] = []
        for number in range(learners):
            run = stack.enter_context(screen(place / f"learner-{number}", socket))
            run.wait_for("●", timeout=300)
            run.press("s")
            run.wait_for(STEPPER, timeout=300)
            screens.append(run)
        taken = step_all(screens, seconds)
        memory = [psutil.Process(run.process.pid).memory_full_info() for run in screens]
        alone = [run for run in screens if psutil.Process(run.process.pid).children()]
        assert not alone, f"{len(alone)} screens have started an engine of their own"
    print(
        f"{len(taken)} keys, median {statistics.median(taken):.0f} ms; the screens together "
        f"{sum(each.pss for each in memory) / _MEGABYTE:.0f} MB (PSS)",
        file=sys.stderr,
    )
    what = f"{learners} real screens, a step every {EVERY:g} s"
    return [
        Measured(
            f"{what}: key press to repaint (95th percentile)",
            "ms",
            percentile(taken),
            KEY_LIMIT_MS,
            1.0,
        ),
        Measured(
            f"{what}: memory of each additional screen (USS)",
            "MB",
            statistics.mean(each.uss for each in memory) / _MEGABYTE,
            LEARNER_LIMIT_MB,
            1.0,
        ),
    ]


def step_all(screens: list[Terminal], seconds: float) -> list[float]:
    """Take a step on each learner's screen in turn, every two seconds.

    Returns the milliseconds from each key press to the next distribution on the screen.
    """
    taken: list[float] = []
    end = time.perf_counter() + seconds
    due = time.perf_counter()
    while time.perf_counter() < end:
        for run in screens:
            due += EVERY / len(screens)
            while (left := due - time.perf_counter()) > 0:
                time.sleep(left)
            taken.append(1000 * _step(run))
    return taken


def _step(run: Terminal) -> float:
    """Choose the next token. Return the seconds until the screen shows the next distribution."""
    before, begin = run.text, time.perf_counter()
    run.press("enter")
    run.wait_until(lambda: stepped(run.text, before), "a step")
    return time.perf_counter() - begin


def stepped(now: str, before: str) -> bool:
    return now != before and STEPPER in now


def measure(learners: int = LEARNERS, seconds: float = SECONDS) -> list[Measured]:
    """Return the rows about a class."""
    with (
        tempfile.TemporaryDirectory() as place,
        engine(Path(place), learners + RUNNING_ON + 1) as (socket, process),
    ):
        rows = asyncio.run(simulate(socket, process, learners, seconds))
        return [*rows, *real(socket, Path(place), learners, seconds)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--learners", type=int, default=LEARNERS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    os.environ.setdefault("TERM", "xterm-256color")
    for row in measure(options.learners, options.seconds):
        print(f"{row.what}: {row.ours:.1f} {row.unit} (limit {row.peer:g})", flush=True)
