"""Test Ctrl+C and the end of the input on a real terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if sys.platform == "win32":
    pytest.skip("there are no ptys on Windows", allow_module_level=True)

from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.plain.session import Machine

CTRL_C, CTRL_D = "\x03", "\x04"
AGAIN = "Press Ctrl+C again to quit"
LONG = 120.0


@pytest.fixture
def terminal(machine: Machine) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "tutor", "--plain", "--model", machine.model]
    environment = {"TERM": "dumb", "OMP_NUM_THREADS": "1"}
    with Terminal(command, columns=240, lines=200, environment=environment) as terminal:
        terminal.wait_for("help or quit.", LONG)
        yield terminal


def test_ctrl_c_stops_what_runs_and_stays(terminal: Terminal) -> None:
    terminal.send("lab training\n")
    terminal.wait_for("Type run", LONG)
    terminal.send("run\n")
    terminal.wait_for("Press Ctrl+C to stop it.", LONG)
    terminal.send(CTRL_C)
    terminal.wait_for("Stopped.", LONG)
    terminal.send("back\nstep\n")
    terminal.wait_for("Rank 1:", LONG)  # the model has survived the signal
    assert AGAIN not in terminal.text


def test_two_ctrl_c_at_the_prompt_leave(terminal: Terminal) -> None:
    terminal.send(CTRL_C)
    terminal.wait_for(AGAIN)
    terminal.send("progress\n")
    terminal.wait_for("You have not started a lesson yet.")
    terminal.send(CTRL_C)
    terminal.wait_until(lambda: terminal.text.count(AGAIN) == 2, "the second warning")
    terminal.send(CTRL_C)
    assert terminal.wait_exit() == 0
    assert b"\x1b" not in terminal.output


def test_ctrl_d_ends_tutor(terminal: Terminal) -> None:
    terminal.send(CTRL_D)
    assert terminal.wait_exit() == 0
