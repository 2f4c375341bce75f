"""Run `tutor` over SSH as learners do, and measure the traffic of its keys."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.relay import Relay
from tests.ssh_server import SshServer
from tests.terminal import Terminal

READY = "●"
STEPPER = "the model's draw"
"""A text that only the stepper shows, and only if there is a distribution."""
STARTS_PAINTING = b"\x1b[?2026h"
"""The sequence that Textual sends at the start of each frame to terminals that support it."""
QUERY = re.compile(rb"\x1b\[(?:\?\d+\$p|\??[56]n|[>=]?0?c|\?u|>0?q|1[48]t)")
"""All queries that a terminal answers: modes, cursor position, terminal type, keyboard, size."""
_ANSWERS = b"\x1b[?2026;2$y\x1b[?2048;0$y"
"""The answers of most terminals to Textual's two queries at its start.

Frames can be bracketed, and size changes are not reported in band.
"""
_RUNS_FOR = 3.0


@dataclass(frozen=True)
class Cost:
    """The bytes that arrive at the learner's terminal, and the TCP payload in both directions."""

    shown: int
    tcp: int


@dataclass(frozen=True)
class Costs:
    """The traffic that actions cause.

    The actions are a key in a prompt, a page of a lesson, a step of the stepper (in each case, the
    most expensive of several), a second of generating, and a few seconds without a key press.
    """

    key: Cost
    page: Cost
    step: Cost
    running: Cost
    paintings: float
    """The cost of a second of generating."""
    idle: Cost


@contextmanager
def tutor(
    server: SshServer, data: Path, *arguments: str, port: int | None = None, **changes: str
) -> Iterator[Terminal]:
    """Run `tutor` with the learner's folder `data`, in an 80x24 terminal over SSH.

    `changes` apply to the environment there; `TERM` is the type of the learner's terminal.
    """
    term = changes.pop("TERM", "xterm-256color")
    environment = {"TUTOR_DATA": str(data), "TUTOR_TOUR": "off", **changes}
    command = [sys.executable, "-m", "tutor", *arguments]
    with server.log_in(command, environment=environment, term=term, port=port) as run:
        yield run


def answer_queries(run: Terminal) -> None:
    run.send(_ANSWERS)
    run.wait_quiet()


def measure(
    server: SshServer, data: Path, *arguments: str, model: str, quiet: float = 0.4
) -> Costs:
    """Measure the traffic at 80x24 with the model file `model`.

    Everything that arrives with gaps of less than `quiet` seconds belongs to one key.
    """
    with (
        Relay(server.port) as relay,
        tutor(server, data, *arguments, port=relay.port, TUTOR_MODEL=model) as run,
    ):
        run.wait_for(READY, timeout=120)
        answer_queries(run)
        wire = _Wire(run, relay, quiet)
        run.press("enter")
        run.wait_for(" 1 of ")
        page = wire.most(*["right"] * 3)
        run.press("esc")
        run.wait_for("q quit")
        run.press("s")
        run.wait_for(STEPPER)
        step = wire.most(*["enter"] * 3)
        run.press("e")
        run.wait_for("enter accept")
        key = wire.most(*"wor")
        run.press("esc")
        run.wait_for(STEPPER)
        running, paintings = wire.running()
        return Costs(key, page, step, running, paintings, wire.of(lambda: run.bytes_within(2.0)))


class _Wire:
    def __init__(self, run: Terminal, relay: Relay, quiet: float) -> None:
        self._run = run
        self._quiet = quiet
        self._relay = relay

    def of(self, action: Callable[[], object]) -> Cost:
        before, mark = len(self._run.output), self._relay.mark()
        action()
        tcp = self._relay.size("up", mark) + self._relay.size("down", mark)
        return Cost(len(self._run.output) - before, tcp)

    def most(self, *keys: str) -> Cost:
        self._run.wait_quiet(self._quiet)
        return max((self.of(partial(self._answered, key)) for key in keys), key=_shown)

    def running(self) -> tuple[Cost, float]:
        self._run.wait_quiet(self._quiet)
        before = self._run.output.count(STARTS_PAINTING)
        cost = self.of(self._run_on)
        paintings = self._run.output.count(STARTS_PAINTING) - before
        self._run.press("r")
        self._run.wait_gone("r stops")
        self._run.wait_quiet(self._quiet)
        per_second = Cost(round(cost.shown / _RUNS_FOR), round(cost.tcp / _RUNS_FOR))
        return per_second, paintings / _RUNS_FOR

    def _answered(self, key: str) -> None:
        before = len(self._run.output)
        self._run.press(key)
        self._run.wait_until(lambda: len(self._run.output) > before, f"an answer to {key}")
        self._run.wait_quiet(self._quiet)

    def _run_on(self) -> None:
        self._run.press("r")
        self._run.bytes_within(_RUNS_FOR)


def _shown(cost: Cost) -> int:
    return cost.shown
