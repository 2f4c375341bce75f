"""What only a real terminal shows: colors, idle bytes, signals, kill -9."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from on_a_pty import Terminal, tutor

from tutor.learner.progress import Progress
from tutor.paths import learner_folder

COLOR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])(?:;\d+)*m")
SGR = re.compile(rb"\x1b\[[0-9;:]*m")
HOME = "Begin   "


def settled(run: Terminal) -> None:
    """Wait until nothing has come for a second; the engine has failed by then, for want of a
    model."""
    run.until(lambda: "no model ×" in run.text or "×" in run.text.splitlines()[0])
    run.until(lambda: run.read(1.0) == b"")


def walk(run: Terminal) -> None:
    """From the course map into a lesson, its questions, an answer, help and back."""
    run.until_shown(HOME)
    run.press("\r")
    run.until_shown(" 1 of ")
    run.press("a")
    run.until_shown("question 1 of ")
    run.press("b\r")
    run.until_shown("saved")
    run.press("?")
    run.until_shown("help ·")
    run.press("\x1b")
    run.until(lambda: "help ·" not in run.text)


def test_no_color_sends_no_color_at_all(tmp_path: Path) -> None:
    with tutor(tmp_path, environment={"NO_COLOR": "1"}) as run:
        walk(run)
        settled(run)
        assert COLOR.findall(bytes(run.sent)) == []
        assert SGR.findall(bytes(run.sent))  # bold and reverse are still there


@pytest.mark.parametrize(
    ("term", "expected"),
    [("xterm-256color", rb"\x1b\[[0-9;]*38;5;"), ("xterm", rb"\x1b\[[0-9;]*33[;m]")],
)
def test_colors_are_those_of_the_terminal(tmp_path: Path, term: str, expected: bytes) -> None:
    with tutor(tmp_path, environment={"TERM": term}) as run:
        walk(run)
        sent = bytes(run.sent)
    assert re.search(expected, sent)
    assert (b"38;5;" in sent) == (term == "xterm-256color")
    assert b"38;2;" not in sent


def test_an_idle_screen_sends_nothing(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        walk(run)
        settled(run)
        assert run.read(2.0) == b""


def test_an_idle_input_does_not_blink(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        run.until_shown(HOME)
        run.press("s")
        run.until_shown("esc back")
        settled(run)
        run.press("e")
        run.until(lambda: run.read(1.0) == b"")
        assert run.read(2.0) == b""


def test_killed_in_the_middle_of_a_quiz_it_goes_on_at_the_same_question(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        walk(run)
        run.press("\r")
        run.until_shown("question 2 of ")
        run.until(lambda: run.read(0.5) == b"")
        question = run.text.splitlines()[2]
        run.process.send_signal(signal.SIGKILL)
        run.process.wait()
    with tutor(tmp_path) as run:
        run.until_shown("Continue")
        run.press("\r")
        run.until_shown("question 2 of ")
        run.until_shown(question.strip())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with tutor(tmp_path) as run:
        run.until_shown(HOME)
        run.process.send_signal(number)
        run.until(lambda: run.process.poll() is not None)
        run.read(0.5)
        assert run.process.returncode == 128 + number
        assert b"\x1b[?1049l" in run.sent  # the alternate screen is left
        assert b"\x1b[?25h" in run.sent  # the cursor is back


def test_a_dropped_connection_ends_the_program(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        run.until_shown(HOME)
        began = time.monotonic()
        run.hang_up()
        assert run.process.wait(timeout=20) == 128 + signal.SIGHUP
        assert time.monotonic() - began < 10


def test_output_that_nobody_reads_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        walk(run)
        run.press("\x1b\r\r\r" * 400)  # more than a terminal buffers, never read from here on
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(timeout=20) == 128 + signal.SIGTERM


def test_it_follows_the_size_of_the_terminal(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        run.until_shown(HOME)
        run.resize(40, 12)
        run.until(lambda: "? help" in run.last_line)
        run.press("\r")
        run.until_shown(" 1 of ")
        run.resize(200, 60)
        run.until(lambda: "? help" in run.last_line)
        assert len(run.text.split("\n")) == 60


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_move_its_cursor_is_refused(tmp_path: Path, term: str) -> None:
    with tutor(tmp_path, environment={"TERM": term}) as run:
        run.until_shown("cannot move its cursor")
        assert run.process.wait(timeout=20) == 1
        assert b"\x1b[?1049h" not in run.sent


def test_without_a_terminal_it_says_so(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tutor"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "TERM": "xterm", "TUTOR_DATA": str(tmp_path)},
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert "is not a terminal" in result.stderr


def test_what_was_called_saved_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tutor(tmp_path) as run:
        walk(run)  # until "saved" was on the screen
        run.process.send_signal(signal.SIGKILL)
        run.process.wait()
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path))
    assert len(Progress.open(learner_folder()).cards()) == 1
