"""Measure how fast the screen is, and how much memory it takes.

    python -m tests.benchmarks.screen [--runs N] [--steps N]

- First paint: the time from exec to the first content on an 80x24 terminal. It alternates with the
  smallest Textual app that has a Header, a Footer and a Markdown widget.
- Key press to repaint: the time from a key press to the change on the screen. It is measured while
  the engine imports PyTorch and loads the model, while the model generates text, while a lab
  generates text, and while labs explain a prediction (`--only explaining` measures only these
  labs). The lab `probe` is not included, because it has trained its probes before a learner can
  press the next key.
- Memory: the unshared memory (USS) of the process that draws the screen, after a few steps and
  after many steps.

This needs the default model, installed or named by TUTOR_MODEL. If a row has no peer, the second
figure is the limit, such as 30 ms.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.course import wait_until_cached
from tests.benchmarks.table import Measured
from tests.terminal import Terminal, TerminalTimeout
from tutor.models import find_model
from tutor.paths import packed_folder, user_models_folder

PEER = """
from textual.app import App
from textual.widgets import Footer, Header, Markdown

class Smallest(App):
    BINDINGS = [("q", "quit", "Quit")]

    def compose(self):
        yield Header()
        yield Footer()
        yield Markdown("# Title\\n\\nFirst content.\\n\\n- one\\n- two\\n")

Smallest().run(mouse=False)
"""
KEY_LIMIT_MS = 30.0
MEMORY_LIMIT_MB = 45.0
KEYS = 100
PROPOSED = "starts    ›"
"""Text that the ghost-text lab shows as soon as a proposal has its first token."""
STEPPER = "the model's draw"
"""Text that only the stepper shows, and only with a distribution."""
_USUALLY = 0.06
"""The time, in seconds, in which most keys take effect.

Until then, nothing is drawn here (see `Terminal`).
"""
_REACTION = 0.15
"""The seconds between a key that starts a computation and the next key of a fast learner."""
_MEGABYTE = 1e6


@contextmanager
def tutor(
    columns: int = 80, lines: int = 24, data: str | None = None, arguments: tuple[str, ...] = ()
) -> Iterator[Terminal]:
    """Start `tutor` for a new learner, with the same models as the user.

    `data` is a folder to keep for the next start.
    """
    model = str(find_model().path)
    with nullcontext(data) if data else tempfile.TemporaryDirectory() as data:
        models = Path(data) / "models"
        if not models.is_symlink():
            models.symlink_to(user_models_folder())
            (Path(data) / "cache").mkdir()
            (Path(data) / "cache" / "packed").symlink_to(packed_folder())
        environment = {"TUTOR_DATA": data, "TUTOR_MODEL": model}
        command = [sys.executable, "-m", "tutor", *arguments]
        with Terminal(command, columns=columns, lines=lines, environment=environment) as run:
            yield run


def first_paint(runs: int) -> list[Measured]:
    """Return the rows about the first paint. The first start has no cache of the lessons yet."""
    first: list[float] = []
    later: list[float] = []
    peers: list[float] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as data:
            for times in (first, later):
                with tutor(data=data) as run:
                    times.append(run.wait_for("› Begin"))
                    wait_until_cached(run, Path(data))
        with Terminal([sys.executable, "-c", PEER]) as run:
            peers.append(run.wait_for("First content."))
    peer = 1000 * statistics.median(peers)
    what = "time to first paint, against a minimal Textual app"
    return [
        Measured(what, "ms", 1000 * statistics.median(later), peer, 1.2),
        Measured(f"{what}: first start", "ms", 1000 * statistics.median(first), peer, 1.2),
    ]


def keys_while_loading(starts: int = 4) -> Measured:
    """Press arrow keys on the course map, in the seconds after the start."""
    times: list[float] = []
    for _ in range(starts):
        with tutor() as run:
            run.wait_for("› Begin")
            while "●" not in run.text and len(times) < KEYS * starts:
                times += (_pressed(run, "down", gone="› Begin"), _pressed(run, "up", "› Begin"))
    return _slowest("key press to repaint while the engine loads (95th percentile)", times)


def keys_while_generating() -> Measured:
    """Press arrow keys in the sampler settings, above a stepper that generates."""
    times: list[float] = []
    with tutor() as run:
        run.wait_for("●", timeout=300)
        run.press("s")
        run.wait_for(STEPPER)
        run.press("t")
        run.wait_for("› 1")
        while len(times) < KEYS:
            if "r stops" not in run.text:  # generation stops at its limit
                run.press("r")
                run.wait_for("r stops")
            times += (_pressed(run, "down", "› 2"), _pressed(run, "up", "› 1"))
    return _slowest("key press to repaint while the model generates (95th percentile)", times)


def keys_while_a_lab_runs() -> Measured:
    """Press arrow keys in the continuations lab while it generates."""
    times: list[float] = []
    with tutor(arguments=("lab", "continuations")) as run:
        run.wait_for("●", timeout=300)
        run.wait_for("Press r to generate both sides.")
        run.press("r")
        run.wait_for("›  1")
        while len(times) < KEYS and "Done." not in run.text:
            times += (_pressed(run, "down", "›  2"), _pressed(run, "up", "›  1"))
    return _slowest("key press to repaint while a lab runs (95th percentile)", times)


class Explaining(NamedTuple):
    """A lab that explains a prediction, and how to keep it busy while two keys are measured.

    The screen contains `ready` before the keys in `start` are pressed, and `busy` while the lab
    computes. The keys in `again` start another computation. `there` and `back` are keys with their
    effects.
    """

    lab: str
    what: str
    ready: str
    start: tuple[str, ...]
    busy: str
    again: tuple[str, ...]
    there: tuple[str, str]
    back: tuple[str, str]


EXPLAINING = (
    Explaining(
        lab="patch",
        what="a patching map is computed",
        ready="r run",
        start=("r",),
        busy="r stop",
        again=("w", "r"),
        there=("right", "layer 2"),
        back=("left", "layer 1"),
    ),
    Explaining(
        lab="why",
        what="a logit is explained",
        ready="next token",
        start=("tab",) * 4,
        busy="    …",
        again=("x",),
        there=("down", "›   2 "),
        back=("up", "›   1 "),
    ),
    Explaining(
        lab="steer",
        what="steering is measured",
        ready="perplexity",
        start=("tab", "tab", "tab"),
        busy="r stop",
        again=("x",),
        there=("up", "layer  9 of"),
        back=("down", "layer  8 of"),
    ),
)


def keys_while_explaining(lab: Explaining) -> Measured:
    """Press arrow keys in a lab that explains a prediction, only while it computes."""
    times: list[float] = []
    while len(times) < KEYS:
        times += _keys_of_one_start(lab)
    return _slowest(f"key press to repaint while {lab.what} (95th percentile)", times)


def _keys_of_one_start(lab: Explaining, rounds: int = 10) -> list[float]:
    """Return the times of the keys that were sent to a newly started lab while it computed.

    A lab caches its results, so only `rounds` rounds in one process are useful.
    """
    times: list[float] = []
    with tutor(arguments=("lab", lab.lab)) as run:
        run.wait_for("●", timeout=300)
        run.wait_for(lab.ready, timeout=60)
        run.wait_quiet()
        for number in range(rounds):
            run.press(*(lab.again if number else lab.start))
            with suppress(TerminalTimeout):
                run.wait_for(lab.busy, timeout=1)
            run.bytes_within(_REACTION)
            while lab.busy in run.text and len(times) < KEYS:
                times += [_pressed(run, key, shown) for key, shown in (lab.there, lab.back)]
    return times


def keys_while_ghost_text_is_generated() -> Measured:
    """Type in the editor with ghost text, each key while the model generates a proposal."""
    times: list[float] = []
    with tutor(arguments=("lab", "ghost-text")) as run:
        run.wait_for("●", timeout=300)
        run.wait_for(PROPOSED)
        run.press("e")
        run.wait_for("ctrl+n")
        while len(times) < KEYS:
            times.append(_pressed(run, "x", "returnx"))
            run.wait_for(PROPOSED)  # it has begun: the rest of the line is being generated
            times.append(_pressed(run, "backspace", gone="returnx"))
            run.wait_for(PROPOSED)
    return _slowest("key press to repaint while ghost text is generated (95th percentile)", times)


def memory(steps: int) -> list[Measured]:
    """Step forward and back in the stepper, and draw the distribution each time."""
    with tutor() as run:
        run.wait_for("●", timeout=300)
        run.press("s")
        run.wait_for(STEPPER)
        _step(run, steps // 10)
        early = run.memory() / _MEGABYTE
        _step(run, steps - steps // 10)
        late = run.memory() / _MEGABYTE
    return [
        Measured("memory of the screen process (USS)", "MB", late, MEMORY_LIMIT_MB, 1.0),
        Measured(
            f"memory of the screen process after {steps:,} steps, "
            f"against {steps // 10:,} steps (USS)",
            "MB",
            late,
            early,
            1.05,
        ),
    ]


def _step(run: Terminal, steps: int) -> None:
    for _ in range(steps // 2):
        _press_and_wait(run, "enter", "a step forward")
        _press_and_wait(run, "u", "a step back")
    run.wait_quiet()


def _press_and_wait(run: Terminal, key: str, what: str) -> None:
    """Press a key, and wait until it has changed anything on the screen."""
    before = len(run.output)
    run.press(key)
    run.wait_until(lambda: len(run.output) > before, what)


def _pressed(run: Terminal, key: str, shown: str = "", *, gone: str = "") -> float:
    """Return the milliseconds from the key press until its effect on the screen has arrived."""

    def seen() -> bool:
        return shown in run.text and not (gone and gone in run.text)

    begin = time.perf_counter()
    run.press(key)
    arrived = run.arrival(seen, _USUALLY)
    if arrived is None:
        run.wait_until(seen, f"the effect of {key}")
        arrived = time.perf_counter()
    return (arrived - begin) * 1000


def _slowest(what: str, times: list[float]) -> Measured:
    return Measured(what, "ms", statistics.quantiles(times, n=20)[-1], KEY_LIMIT_MS, 1.0)


def measure(runs: int = 9, steps: int = 1000) -> list[Measured]:
    """Return the rows about the screen."""
    return [
        *first_paint(runs),
        keys_while_loading(),
        keys_while_generating(),
        keys_while_a_lab_runs(),
        *map(keys_while_explaining, EXPLAINING),
        keys_while_ghost_text_is_generated(),
        *memory(steps),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="first paints of each program")
    parser.add_argument("--steps", type=int, default=1000, help="steps of the memory test")
    parser.add_argument("--only", choices=["explaining"], help="measure only these rows")
    options = parser.parse_args()
    os.environ.setdefault("TERM", "xterm-256color")
    only_explaining = options.only == "explaining"
    for row in (
        map(keys_while_explaining, EXPLAINING)
        if only_explaining
        else measure(options.runs, options.steps)
    ):
        print(
            f"{row.what}: {row.ours:.2f} against {row.peer:.2f} {row.unit}, "
            f"ratio {row.ratio:.2f} (at most {row.target_ratio})",
            flush=True,
        )
