"""Test on a pseudoterminal: colors, bytes sent while idle, signals and kill -9."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.later import later
from tests.shipped_course import shipped_course, with_cached_course
from tests.terminal import DEADLINE, Terminal
from tutor.learner.progress import Progress
from tutor.paths import learner_folder

MODES = re.compile(rb"\x1b\[\?(\d+)([hl])")
COLOR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])(?:;\d+)*m")
SGR = re.compile(rb"\x1b\[[0-9;:]*m")
HOME = "Begin   "


def tutor(data: Path, **changes: str | None) -> Terminal:
    """Run `tutor` without a model, so that nothing is downloaded and no engine loads."""
    folders = {"TUTOR_DATA": str(with_cached_course(data))}
    folders["TUTOR_MODEL"] = str(data / "no-such-model.gguf")
    return Terminal([sys.executable, "-m", "tutor"], environment={**folders, **changes})


def settled(run: Terminal) -> None:
    """Wait until the engine has failed without a model, and everything is painted."""
    run.wait_for("no model ×")
    run.wait_quiet(0.6)  # a blinking cursor would send bytes within this time


def walk(run: Terminal) -> None:
    """Go from the course map to a lesson, answer one of its questions, and open help."""
    run.wait_for(HOME)
    run.press("enter")
    run.wait_for(" 1 of ")
    run.press("right")
    run.wait_for(" 2 of ")
    run.press("a")
    run.wait_for("question 1 of ")
    run.press("b", "enter")
    run.wait_for("saved")
    run.press("?")
    run.wait_for("help ·")
    run.press("esc")
    run.wait_gone("help ·")


@contextmanager
def frozen(run: Terminal) -> Iterator[None]:
    """Hold back all output, as when the client of a connection is frozen."""
    slave = os.open(f"/proc/{run.process.pid}/fd/0", os.O_RDWR | os.O_NOCTTY)
    termios.tcflow(slave, termios.TCOOFF)
    try:
        yield
    finally:
        termios.tcflow(slave, termios.TCOON)
        os.close(slave)


def wait_saved(data: Path, screen: str) -> None:
    """Wait until progress on disk says that the learner is at this screen of a lesson."""
    deadline = time.monotonic() + DEADLINE
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTOR_DATA", str(data))
        while screen not in {
            lesson.screen for lesson in Progress.open(learner_folder()).lessons().values()
        }:
            assert time.monotonic() < deadline, "no key had an effect"
            time.sleep(0.02)


def test_no_color_sends_no_color_at_all(tmp_path: Path) -> None:
    with tutor(tmp_path, NO_COLOR="1") as run:
        walk(run)
        settled(run)
        assert COLOR.findall(bytes(run.output)) == []
        assert SGR.findall(bytes(run.output))  # bold and reverse are still there


@pytest.mark.slow
@pytest.mark.parametrize(
    ("term", "expected"),
    [("xterm-256color", rb"\x1b\[[0-9;]*38;5;"), ("xterm", rb"\x1b\[[0-9;]*33[;m]")],
)
def test_colors_suit_the_terminal(tmp_path: Path, term: str, expected: bytes) -> None:
    with tutor(tmp_path, TERM=term) as run:
        walk(run)
        sent = bytes(run.output)
    assert re.search(expected, sent)
    assert (b"38;5;" in sent) == (term == "xterm-256color")
    assert b"38;2;" not in sent


def test_a_new_screen_is_one_update(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        run.wait_for("q quit")
        for _ in range(3):
            run.press("enter")
            run.wait_until(lambda: "q quit" not in run.text, "the lesson")
            assert "esc back" in run.text
            run.press("esc")
            run.wait_until(lambda: "esc back" not in run.text, "the course map")
            assert "q quit" in run.text


def test_an_idle_screen_sends_nothing(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        walk(run)
        settled(run)
        assert run.bytes_within(1.2) == 0


@pytest.mark.slow
def test_an_idle_terminal_without_a_size_gets_nothing(tmp_path: Path) -> None:
    """Some serial terminals report a size of zero. The app then assumes 80 by 24 cells."""
    start = 'stty rows 0 cols 0; exec "$0" -m tutor'
    folders = {"TUTOR_DATA": str(tmp_path), "TUTOR_MODEL": str(tmp_path / "no-such-model.gguf")}
    with Terminal(["sh", "-c", start, sys.executable], environment=folders) as run:
        settled(run)
        assert "q quit" in run.text.splitlines()[23]
        assert run.bytes_within(1.2) == 0


@pytest.mark.slow
def test_an_idle_input_does_not_blink(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        run.wait_for(HOME)
        run.press("s")
        run.wait_for("esc back")
        settled(run)
        run.press("e")
        run.wait_for("enter accept")
        run.wait_quiet(0.3)
        assert run.bytes_within(1.2) == 0  # a blink would come every half second


def test_a_pasted_escape_character_presses_no_key(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        run.wait_for(HOME)
        run.press("s")
        run.wait_for("esc back")
        settled(run)
        run.press("e")
        run.wait_for("enter accept")
        run.send("\x1b[200~ one\x1b\rq two\x1b[201~")
        run.wait_for("q two")
        assert "one␛" in run.text


def test_killed_in_the_middle_of_a_quiz_it_continues_at_the_same_question(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        walk(run)
        run.press("enter")
        run.wait_for("question 2 of ")
        run.wait_quiet()
        question = run.text.splitlines()[2]
        run.signal(signal.SIGKILL)
        run.wait_exit()
    with tutor(tmp_path) as run:
        run.wait_for("Continue")
        run.press("enter")
        run.wait_for("question 2 of ")
        run.wait_for(question.strip())


@pytest.mark.parametrize("number", [signal.SIGHUP, *later([signal.SIGINT, signal.SIGTERM])])
def test_a_signal_restores_the_terminal(tmp_path: Path, number: signal.Signals) -> None:
    with tutor(tmp_path) as run:
        run.wait_for(HOME)
        run.signal(number)
        assert run.wait_exit() == 128 + number
        assert b"\x1b[?1049l" in run.output  # the alternate screen is left
        assert b"\x1b[?25h" in run.output  # the cursor is back


@pytest.mark.parametrize("stop", [signal.SIGTSTP, *later([None, signal.SIGSTOP])])
def test_it_continues_after_a_stop(tmp_path: Path, stop: signal.Signals | None) -> None:
    """SIGCONT also arrives without a stop, and no signal may start a second reader of the keys."""
    words = "abcdefghijklmnop"
    with tutor(tmp_path) as run:
        settled(run)
        before = len(run.output)
        if stop is not None:
            run.signal(stop)
            _, status = os.waitpid(run.process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
        run.signal(signal.SIGCONT)
        run.wait_until(lambda: b"\x1b[?1049h" in run.output[before:], "the app in its own screen")
        run.press("/")
        run.wait_for("search")
        for letter in words:
            run.send(letter)
        run.wait_for(words)
        run.press("esc")
        run.wait_for(HOME)
        run.press("q")
        assert run.wait_exit() == 0
        entered, left = (run.output.count(b"\x1b[?1049" + how) for how in (b"h", b"l"))
        assert entered == left == 2
        assert run.output.count(b"\x1b[<u") == len(re.findall(rb"\x1b\[>\d+u", run.output))


@pytest.mark.slow
def test_it_gives_the_terminal_back_when_it_exits_instead_of_continuing(tmp_path: Path) -> None:
    """SIGINT and SIGCONT arrive together, in either order, while the app is stopped."""
    with tutor(tmp_path) as run:
        settled(run)
        run.signal(signal.SIGTSTP)
        _, status = os.waitpid(run.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        run.signal(signal.SIGINT)
        run.signal(signal.SIGCONT)
        assert run.wait_exit() == 128 + signal.SIGINT
        entered, left = (run.output.count(b"\x1b[?1049" + how) for how in (b"h", b"l"))
        assert 1 <= entered <= left


HOLD = """
import pathlib, sys, time
from tutor.app.app import TutorApp
from tutor.cli.main import main

held = pathlib.Path(sys.argv.pop())

def hold(self):
    held.touch()
    time.sleep(600)

TutorApp.action_help = hold
main()
"""
"""A program that runs the app, and whose event loop hangs as soon as `?` is pressed."""


@pytest.mark.waits
def test_an_app_that_hangs_restores_the_terminal_before_it_is_ended(tmp_path: Path) -> None:
    held = tmp_path / "held"
    folders = {"TUTOR_DATA": str(tmp_path), "TUTOR_MODEL": str(tmp_path / "no-such-model.gguf")}
    with Terminal([sys.executable, "-c", HOLD, held], environment=folders) as run:
        before = run.line_modes()
        settled(run)
        assert run.line_modes() != before
        run.press("?")
        run.wait_until(held.exists, "the event loop hangs")
        run.signal(signal.SIGTERM)
        assert run.wait_exit() == 128 + signal.SIGTERM
        assert run.line_modes() == before
        last = dict(MODES.findall(run.output))
        assert last.pop(b"25") == last.pop(b"7") == b"h"  # a visible cursor, and wrapped lines
        assert set(last.values()) == {b"l"}
        assert run.output.count(b"\x1b[<u") == len(re.findall(rb"\x1b\[>\d+u", run.output))


def test_a_dropped_connection_ends_the_program(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        run.wait_for(HOME)
        run.hang_up()
        assert run.process.wait(timeout=10) == 128 + signal.SIGHUP


@pytest.mark.slow
def test_it_ends_although_the_terminal_is_frozen(tmp_path: Path) -> None:
    with tutor(tmp_path) as run:
        before = run.line_modes()
        walk(run)
        run.wait_quiet()
        with frozen(run):
            run.resize(70, 20)
            assert run.bytes_within(0.5) == 0
            run.signal(signal.SIGTERM)
            assert run.process.wait(timeout=10) == 128 + signal.SIGTERM
            assert run.line_modes() == before


@pytest.mark.slow
def test_over_ssh_a_frozen_terminal_does_not_block_it(tmp_path: Path) -> None:
    screens = [screen.id for screen in shipped_course().lessons[0].screens]
    with tutor(tmp_path, SSH_TTY="/dev/pts/0") as run:
        run.wait_for(HOME)
        settled(run)
        run.press("enter")
        run.wait_for(" 1 of ")
        run.wait_quiet()
        with frozen(run):
            for screen in (1, 0) * 16 + (1, 2):  # more repaints than any buffer holds
                run.press("right" if screen else "left")
                wait_saved(tmp_path, screens[screen])
            assert " 1 of " in run.text
        run.wait_for(" 3 of ")  # the latest screen, not every one in between


@pytest.mark.parametrize("exported", [{"COLUMNS": "80", "LINES": "24"}, *later([{}])])
def test_it_follows_the_size_of_the_terminal(tmp_path: Path, exported: dict[str, str]) -> None:
    with tutor(tmp_path, **exported) as run:
        run.wait_for(HOME)
        run.resize(40, 12)
        run.wait_until(lambda: "q quit  ? " in run.text.split("\n")[11], "the key line in row 12")
        run.press("enter")
        run.wait_for(" 1 of ")
        run.resize(200, 60)
        run.wait_until(lambda: "? help" in run.text.split("\n")[59], "the key line in row 60")


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_move_its_cursor_is_refused(tmp_path: Path, term: str) -> None:
    with tutor(tmp_path, TERM=term) as run:
        run.wait_for("cannot move its cursor")
        assert run.wait_exit() == 1
        assert b"\x1b[?1049h" not in run.output


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


def test_an_answer_shown_as_saved_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tutor(tmp_path) as run:
        walk(run)  # the screen has shown "saved"
        run.signal(signal.SIGKILL)
        run.wait_exit()
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path))
    assert len(Progress.open(learner_folder()).cards()) == 1


def test_the_name_of_a_model_cannot_reach_the_terminal_as_a_command(tmp_path: Path) -> None:
    model = tmp_path / "a\x1b]0;renamed\x07\x1b[31mred.gguf"
    model.write_bytes(b"no model")
    with tutor(tmp_path, TUTOR_MODEL=str(model)) as run:
        settled(run)
        run.wait_for("You can still read lessons")  # the course map says what happened to the model
        run.press("m")
        run.wait_for("tutor · model")
        run.wait_quiet(0.5)
        assert b"\x1b]0;renamed" not in run.output
