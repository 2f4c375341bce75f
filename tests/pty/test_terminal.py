"""Test the terminal of the end-to-end tests, tried on small programs."""

from __future__ import annotations

import signal
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("there are no ptys on Windows", allow_module_level=True)

from tests.terminal import Terminal, TerminalTimeout

ECHO_KEYS = """
import os, sys, termios, tty
tty.setcbreak(0)
print("ready", flush=True)
while key := os.read(0, 16):
    print("key", key, flush=True)
    if key == b"q":
        sys.exit(3)
"""

SHOW_SIZE = """
import os, signal, time
def show(*_):
    size = os.get_terminal_size()
    print(f"{size.columns} by {size.lines}", flush=True)
signal.signal(signal.SIGWINCH, show)
show()
while True:  # signal.pause() would miss a signal that arrives just before it
    time.sleep(0.05)
"""

CATCH_SIGNALS = """
import os, signal
awaited = {signal.SIGHUP, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, awaited)  # one that comes before `sigwait` is kept for it
print("ready", flush=True)
number = signal.sigwait(awaited)
os.write(1, signal.Signals(number).name.encode())
os._exit(7)
"""

TICK = """
import time
print("ready", flush=True)
while True:
    print("tick", flush=True)
    time.sleep(0.05)
"""


def python(code: str, **options: object) -> Terminal:
    return Terminal([sys.executable, "-c", code], **options)  # type: ignore[arg-type]


def test_it_waits_for_text_presses_keys_and_gets_the_exit_status() -> None:
    with python(ECHO_KEYS) as terminal:
        assert terminal.wait_for("ready") > 0
        terminal.press("x")
        terminal.wait_for("key b'x'")
        terminal.press("up")
        terminal.wait_for(r"key b'\x1b[A'")
        terminal.press("q")
        assert terminal.wait_exit() == 3


def test_a_missing_text_is_an_error_with_the_screen() -> None:
    with python(ECHO_KEYS) as terminal:
        terminal.wait_for("ready")
        with pytest.raises(TerminalTimeout, match=r"(?s)waiting for 'Godot'.*ready"):
            terminal.wait_for("Godot", timeout=0.2)


def test_the_end_of_the_command_ends_the_wait() -> None:
    with (
        python("print('short')") as terminal,
        pytest.raises(TerminalTimeout, match=r"(?s)the command ended.*short"),
    ):
        terminal.wait_for("long")


def test_colors_cursor_movements_and_unknown_sequences_are_understood() -> None:
    code = r"print('\x1b[>1u\x1b[2J\x1b[3;5H\x1b[31mred\x1b[0m \u2588\x1b[<u', end='', flush=True)"
    with python(code) as terminal:
        assert terminal.wait_exit() == 0
        assert terminal.screen.display[2].rstrip() == "    red \u2588"
        assert terminal.text.strip() == "red \u2588"
        assert terminal.screen.buffer[2][4].fg == "red"
        assert b"\x1b[31m" in terminal.output


def test_a_sequence_that_arrives_in_two_parts() -> None:
    code = (
        "import sys, termios, tty, os; tty.setcbreak(0)\n"
        r"os.write(1, b'one\x1b[>'); os.read(0, 1); os.write(1, b'4;1mtwo')"
    )
    with python(code) as terminal:
        terminal.wait_for("one")
        terminal.press("x")
        terminal.wait_for("onetwo")


def test_an_update_is_shown_when_it_is_complete() -> None:
    code = (
        "import sys, termios, tty, os; tty.setcbreak(0)\n"
        r"os.write(1, b'old\x1b[?2026$p'); assert os.read(0, 20) == b'\x1b[?2026;2$y'; "
        r"os.write(1, b' \x1b[?2026hnew'); os.read(0, 1); "
        r"os.write(1, b'er\x1b[?2026l'); os.read(0, 1)"
    )
    with python(code) as terminal:
        terminal.wait_until(lambda: b"new" in terminal.output, "the first half")
        assert terminal.text.strip() == "old"
        terminal.press("x")
        terminal.wait_for("old newer")
        terminal.press("x")
        assert terminal.wait_exit() == 0


def test_an_update_that_never_ends_is_shown_at_the_end_of_the_command() -> None:
    with python(r"print('one\x1b[?2026h two', end='', flush=True)") as terminal:
        assert terminal.wait_exit() == 0
        assert terminal.text.strip() == "one two"


def test_the_size_is_set_and_changes() -> None:
    with python(SHOW_SIZE, columns=40, lines=12) as terminal:
        terminal.wait_for("40 by 12")
        terminal.resize(200, 60)
        terminal.wait_for("200 by 60")
        assert len(terminal.screen.display) == 60


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_signals_arrive(number: signal.Signals) -> None:
    with python(CATCH_SIGNALS) as terminal:
        terminal.wait_for("ready")
        terminal.signal(number)
        terminal.wait_for(number.name)
        assert terminal.wait_exit() == 7


def test_kill_is_reported_as_the_signal() -> None:
    with python(ECHO_KEYS) as terminal:
        terminal.wait_for("ready")
        terminal.signal(signal.SIGKILL)
        assert terminal.wait_exit() == -signal.SIGKILL


def test_a_dropped_line_sends_a_hangup() -> None:
    # The program only waits: a read could end with an error of its own before the signal.
    with python("import signal; print('ready', flush=True); signal.pause()") as terminal:
        terminal.wait_for("ready")
        terminal.hang_up()
        assert terminal.wait_exit() == -signal.SIGHUP


def test_bytes_are_counted_and_silence_is_noticed() -> None:
    with python(ECHO_KEYS) as still, python(TICK) as busy:
        still.wait_for("ready")
        still.wait_quiet(0.1)
        assert still.bytes_within(0.3) == 0
        busy.wait_for("tick")
        assert busy.bytes_within(0.5) > 0
        with pytest.raises(TerminalTimeout, match="no rest"):
            busy.wait_quiet(5.0, timeout=0.2)


def test_the_environment_is_plain_and_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    code = "import os; print(os.environ.get('NO_COLOR'), os.environ.get('TERM'))"
    with python(code) as terminal:
        terminal.wait_for("None xterm-256color")
    with python(code, environment={"NO_COLOR": "1", "TERM": None}) as terminal:
        terminal.wait_for("1 None")


def test_memory_is_measured_for_the_command() -> None:
    with python("data = bytes(range(256)) * 200_000; print('ready'); input()") as terminal:
        terminal.wait_for("ready")
        assert 51_000_000 < terminal.memory() < 90_000_000


def test_leaving_the_context_ends_the_command() -> None:
    with python(ECHO_KEYS) as terminal:
        terminal.wait_for("ready")
    assert terminal.process.returncode == -signal.SIGKILL
