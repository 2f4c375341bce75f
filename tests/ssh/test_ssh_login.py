"""Test logging in, losing the connection, and logging in again, over real SSH."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import psutil
import pytest

from tests.ssh_server import SshServer
from tests.ssh_session import STEPPER, tutor
from tests.terminal import DEADLINE, Terminal

HOME = "q quit"


def sessions(data: Path) -> list[psutil.Process]:
    """Return the `tutor` processes that draw for this learner."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("TUTOR_DATA") == str(data)
            if mine and process.cmdline()[-2:] == ["-m", "tutor"]:
                found.append(process)
        except (psutil.Error, OSError):  # it has ended, or belongs to another user
            continue
    return found


def session(data: Path) -> psutil.Process:
    (process,) = sessions(data)
    return process


def wait_ended(process: psutil.Process) -> None:
    """Wait until a session has ended by itself after its line was dropped."""
    process.wait(DEADLINE)


def to_question_2(run: Terminal) -> str:
    """Go from the course map to the second question of lesson 1, and return its text."""
    run.wait_for(HOME)
    run.press("enter")
    run.wait_for(" 1 of ")
    run.press("right")
    run.wait_for(" 2 of ")
    run.press("a")
    run.wait_for("question 1 of ")
    run.press("b", "enter")
    run.wait_for("saved")
    run.press("enter")
    run.wait_for("question 2 of ")
    run.wait_quiet()
    return run.text.splitlines()[2].strip()


def test_after_a_killed_client_a_new_login_shows_the_same_question(
    server: SshServer, data: Path, no_model: str
) -> None:
    with tutor(server, data, TUTOR_MODEL=no_model) as run:
        asked = to_question_2(run)
        left_behind = session(data)
        run.signal(signal.SIGKILL)
        run.wait_exit()
        wait_ended(left_behind)
    with tutor(server, data, TUTOR_MODEL=no_model) as run:
        run.wait_for("Continue")
        run.press("enter")
        run.wait_for("question 2 of ")
        run.wait_for(asked)
        run.press("esc")
        run.wait_for(HOME)
        run.press("q")
        assert run.wait_exit() == 0


def test_a_frozen_client_delays_nothing_and_then_sees_the_current_screen(
    server: SshServer, data: Path, model_file: Path
) -> None:
    with tutor(server, data, TUTOR_MODEL=str(model_file)) as run:
        run.wait_for("●", timeout=120)
        run.press("s")
        run.wait_for(STEPPER)
        run.press("r")
        run.wait_for("r stops")
        run.signal(signal.SIGSTOP)
        run.wait_quiet()
        before = run.text
        run.signal(signal.SIGCONT)
        run.wait_until(lambda: run.text != before, "text written in the meantime")
        run.press("r")
        run.wait_gone("r stops")
        run.signal(signal.SIGSTOP)
        process = session(data)
        process.send_signal(signal.SIGHUP)
        wait_ended(process)


# --- terminals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["xterm-256color", "screen", "tmux", "linux"])
def test_it_looks_right_on_other_terminals(
    server: SshServer, data: Path, no_model: str, term: str
) -> None:
    with tutor(server, data, TUTOR_MODEL=no_model, TERM=term) as run:
        run.wait_for(HOME)
        run.press("enter")
        run.wait_for(" 1 of ")
        run.wait_for("esc back")
        sent = bytes(run.output)
        assert run.text.splitlines()[1] == "─" * 80
    colors = re.findall(rb"\x1b\[[0-9;]*m", sent)
    many = [code for code in colors if b"38;" in code or b"48;" in code]
    assert colors
    assert bool(many) is term.endswith("256color")


def test_a_terminal_that_cannot_move_its_cursor_is_refused(
    server: SshServer, data: Path, no_model: str
) -> None:
    with tutor(server, data, TUTOR_MODEL=no_model, TERM="dumb") as run:
        run.wait_for("cannot move its cursor")
        assert run.wait_exit() == 1
        assert b"\x1b[" not in run.output
