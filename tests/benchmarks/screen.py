"""How fast the screen is, and how much memory it takes.

    python -m tests.benchmarks.screen [--runs N] [--steps N]

- First paint: from exec to the first content on an 80x24 terminal, `tutor` against the smallest
  Textual app with a Header, a Footer and a Markdown, taking turns.
- Key to repaint: from a key that is pressed to the change it makes on the screen, while the engine
  imports PyTorch and loads the model, while it generates, and while a lab works.
- Memory: what the process that draws the screen holds alone (USS), after some steps and after many.

Needs the default model, installed or named by TUTOR_MODEL. Limits that are not another program
("at most 30 ms") stand in the place of the peer.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.benchmarks.course import wait_until_kept
from tests.benchmarks.table import Measured
from tests.terminal import Terminal
from tutor.models import find_model
from tutor.paths import user_models_folder

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
"""The text that the ghost text lab shows as soon as a proposal has its first token."""
STEPPER = "the model's draw"
"""What only the stepper shows, and only when there is a distribution."""
_MEGABYTE = 1e6


@contextmanager
def tutor(
    columns: int = 80, lines: int = 24, data: str | None = None, arguments: tuple[str, ...] = ()
) -> Iterator[Terminal]:
    """`tutor` with a learner who has never been here, and the model of whoever runs this. `data`
    is a folder to keep for the next start."""
    model = str(find_model().path)
    with nullcontext(data) if data else tempfile.TemporaryDirectory() as data:
        models = Path(data) / "models"
        if not models.is_symlink():
            models.symlink_to(user_models_folder())  # the packed weights are beside the model
        environment = {"TUTOR_DATA": data, "TUTOR_MODEL": model}
        command = [sys.executable, "-m", "tutor", *arguments]
        with Terminal(command, columns=columns, lines=lines, environment=environment) as run:
            yield run


def first_paint(runs: int) -> list[Measured]:
    """The very first start takes a glance at all lessons; later ones find what was read of them
    meanwhile in a cache."""
    first: list[float] = []
    later: list[float] = []
    peers: list[float] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as data:
            for times in (first, later):
                with tutor(data=data) as run:
                    times.append(run.wait_for("> Begin"))
                    wait_until_kept(run, Path(data))
        with Terminal([sys.executable, "-c", PEER]) as run:
            peers.append(run.wait_for("First content."))
    peer = 1000 * statistics.median(peers)
    what = "first content painted, against the smallest Textual app"
    return [
        Measured(what, "ms", 1000 * statistics.median(later), peer, 1.3),
        Measured(f"{what}: first start of all", "ms", 1000 * statistics.median(first), peer, 1.3),
    ]


def keys_while_loading(starts: int = 4) -> Measured:
    """The arrow keys on the course map, in the seconds after the start."""
    times: list[float] = []
    for _ in range(starts):
        with tutor() as run:
            run.wait_for("> Begin")
            while "●" not in run.text and len(times) < KEYS * starts:
                times += (_pressed(run, "down", gone="> Begin"), _pressed(run, "up", "> Begin"))
    return _slowest("key to repaint while the engine loads (95th percentile)", times)


def keys_while_generating() -> Measured:
    """The arrow keys on the dials of the sampler, above a stepper that runs on by itself."""
    times: list[float] = []
    with tutor() as run:
        run.wait_for("●", timeout=300)
        run.press("s")
        run.wait_for(STEPPER)
        run.press("t")
        run.wait_for("› 1")
        while len(times) < KEYS:
            if "r pauses" not in run.text:  # it stops at its limit
                run.press("r")
                run.wait_for("r pauses")
            times += (_pressed(run, "down", "› 2"), _pressed(run, "up", "› 1"))
    return _slowest("key to repaint while it generates (95th percentile)", times)


def keys_while_a_lab_works() -> Measured:
    """The arrow keys in the lab of continuations, while it writes them."""
    times: list[float] = []
    with tutor(arguments=("lab", "continuations")) as run:
        run.wait_for("●", timeout=300)
        run.wait_for("Press r to generate both sides.")
        run.press("r")
        run.wait_for("›  1")
        while len(times) < KEYS and "Done." not in run.text:
            times += (_pressed(run, "down", "›  2"), _pressed(run, "up", "›  1"))
    return _slowest("key to repaint while a lab works (95th percentile)", times)


def keys_while_gray_text_is_written() -> Measured:
    """Typing in the editor with gray text, each key while the model writes its proposal."""
    times: list[float] = []
    with tutor(arguments=("lab", "ghost-text")) as run:
        run.wait_for("●", timeout=300)
        run.wait_for(PROPOSED)
        run.press("e")
        run.wait_for("ctrl+n")
        while len(times) < KEYS:
            times.append(_pressed(run, "x", "returnx"))
            run.wait_for(PROPOSED)  # it begins: the rest of the line is under way
            times.append(_pressed(run, "backspace", gone="returnx"))
            run.wait_for(PROPOSED)
    return _slowest("key to repaint while gray text is written (95th percentile)", times)


def memory(steps: int) -> list[Measured]:
    """Steps forward and back in the stepper, with the distribution painted each time."""
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
        Measured(f"the same after {steps} steps against {steps // 10}", "MB", late, early, 1.05),
    ]


def _step(run: Terminal, steps: int) -> None:
    for _ in range(steps // 2):
        _press_and_wait(run, "enter", "a step forward")
        _press_and_wait(run, "b", "a step back")
    run.wait_quiet()


def _press_and_wait(run: Terminal, key: str, what: str) -> None:
    """Press a key, and wait until it has changed anything on the screen."""
    before = len(run.output)
    run.press(key)
    run.wait_until(lambda: len(run.output) > before, what)


def _pressed(run: Terminal, key: str, shown: str = "", *, gone: str = "") -> float:
    """Milliseconds from the key to its effect on the screen."""
    begin = time.perf_counter()
    run.press(key)
    run.wait_for(shown) if shown else run.wait_gone(gone)
    return (time.perf_counter() - begin) * 1000


def _slowest(what: str, times: list[float]) -> Measured:
    return Measured(what, "ms", statistics.quantiles(times, n=20)[-1], KEY_LIMIT_MS, 1.0)


def measure(runs: int = 9, steps: int = 1000) -> list[Measured]:
    """The rows of the benchmark table that are about the screen."""
    return [
        *first_paint(runs),
        keys_while_loading(),
        keys_while_generating(),
        keys_while_a_lab_works(),
        keys_while_gray_text_is_written(),
        *memory(steps),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="first paints of each program")
    parser.add_argument("--steps", type=int, default=1000, help="steps for the memory")
    options = parser.parse_args()
    os.environ.setdefault("TERM", "xterm-256color")
    for row in measure(options.runs, options.steps):
        print(
            f"{row.what}: {row.ours:.2f} against {row.peer:.2f} {row.unit}, "
            f"ratio {row.ratio:.2f} (at most {row.target_ratio})",
            flush=True,
        )
