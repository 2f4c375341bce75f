"""Test a login that runs only tutor, in a real terminal, under attack by its client.

No input from the client gives it access to anything but tutor. The login also notices that the user
is away, even if the terminal is frozen.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

if sys.platform != "linux":
    pytest.skip("looks into /proc", allow_module_level=True)

from tests.pty.hostile_keys import HostileKeys
from tests.pty.system_calls import calls, can_trace, traced
from tests.terminal import Terminal
from tutor.labs.kit import registry

PATIENT = 120.0
"""Seconds: so much is sent at once that the screen may be busy for long."""
HOSTILE_ENVIRONMENT = {
    "TUTOR_DATA": "/nowhere/data",
    "TUTOR_MODEL": "hf:owner/repo",
    "TEXTUAL_LOG": "textual.log",
    "TEXTUAL_SCREENSHOT": "1",
    "PYTHONSTARTUP": "startup.py",
    "PYTHONINSPECT": "1",
    "EDITOR": "touch edited",
    "BROWSER": "touch browsed",
    "PAGER": "touch paged",
}


def kiosk(
    folder: Path, *options: str | Path, before: Sequence[str] = (), **environment: str
) -> Terminal:
    command = [sys.executable, "-m", "tutor", "--kiosk", "--data", folder / "data", *options]
    work = folder / "work"
    work.mkdir(exist_ok=True)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # an installed tutor has its bytecode already
    return Terminal([*before, *command], folder=work, environment=environment)


def to_the_course_map(run: Terminal) -> None:
    """Skip the tour, which a login that runs only tutor shows to each new learner."""
    run.wait_for("esc skip")
    run.press("esc")
    run.wait_for("q quit")


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of everything in `folder` but the learner's own files."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_relative_to(folder / "data"):
            found[str(path)] = (path.stat().st_size, path.stat().st_mtime_ns)
    return found


def others(run: Terminal) -> list[list[str]]:
    """Return the command lines of processes besides the app and its engine."""
    found = []
    for each in psutil.Process(run.process.pid).children(recursive=True):
        try:
            line = each.cmdline()
        except psutil.NoSuchProcess:
            continue
        if line and line[1:4] not in (["-m", "tutor", "--kiosk"], ["-P", "-m", "tutor.engine"]):
            found.append(line)
    return found


def attack(folder: Path, way: Sequence[str], seed: int, chunks: int) -> None:
    """Go to a screen by the keys of `way`, send `chunks` chunks, and leave."""
    keys = HostileKeys(seed)
    record = folder / "calls"
    (folder / "work").mkdir()
    (folder / "work" / "startup.py").write_text("open('started', 'w')")
    before = files(folder)
    tracing = traced(record) if can_trace() else ()
    with kiosk(folder, before=tracing, **HOSTILE_ENVIRONMENT) as run:
        to_the_course_map(run)
        for key in way:
            run.press(key)
            run.wait_quiet(0.1)
        run.drawn = False
        for number in range(chunks):
            if number % 40 == 39:
                run.resize(*keys.size())
            run.send(keys.chunk())
            if number % 20 == 19:
                run.read(0.02)
                assert others(run) == []
            if run.process.poll() is not None:
                break
        end(run)
    assert b"Traceback" not in run.output
    after = files(folder)
    after.pop(str(record), None)
    assert after == before
    if tracing:
        check_calls(record, folder / "data")


def end(run: Terminal) -> None:
    """Leave the app, unless some of the keys have done so already."""
    run.resize(80, 24)
    if run.process.poll() is None:
        run.send(b"\x1b[201~\x03\x03")  # end a paste, if one is still open
    status = run.wait_exit(PATIENT)
    # At the very end, the terminal may again turn Ctrl+C into a signal.
    assert status in (0, -signal.SIGINT), bytes(run.output[-4000:]).decode(errors="replace")


def check_calls(record: Path, data: Path) -> None:
    made = calls(record)
    assert made.reached == []
    known = ('"-m", "tutor", "--kiosk"', "tutor.engine", '"-m", "tutor.lm.template_process"')
    others = [each for each in made.programs if not any(program in each for program in known)]
    assert others == []
    outside = {
        path
        for path in made.changed
        if not path.startswith(str(data)) and not path.startswith(("/dev/", "/proc/self/"))
    }
    assert outside == set()


def test_hostile_keys_reach_nothing_but_tutor(tmp_path: Path) -> None:
    attack(tmp_path, ["s", "e"], seed=1, chunks=150)


SCREENS: tuple[list[str], ...] = (
    *([], ["c"], ["g"], ["l"], ["p"], ["m"], ["r"], ["v"], ["/"], ["?"], ["enter"], ["s", "e"]),
    *(["enter", "a"], ["c", "e"], ["s", "/"], ["s", "t"], ["s", "x"], ["s", "o"], ["s", "w"]),
)
LABS = tuple(["l", *["down"] * place, "enter"] for place in range(len(registry.names())))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("way", [*SCREENS, *LABS], ids="-".join)
def test_hostile_keys_reach_nothing_on_any_screen(
    tmp_path: Path, way: list[str], seed: int
) -> None:
    attack(tmp_path, way, seed=seed, chunks=500)


def test_keys_that_stop_or_dump_a_program_never_work(tmp_path: Path) -> None:
    """Until the screen is drawn, the terminal turns them into signals."""
    with kiosk(tmp_path) as run:
        run.wait_until(lambda: blocks(run, signal.SIGTSTP), "signals to be blocked")
        assert blocks(run, signal.SIGQUIT)
        assert "Welcome" not in run.text
        while "Welcome" not in run.text:
            assert run.process.poll() is None
            run.send(b"\x1a\x1c")
            run.read(0.05)
        run.send(b"\x1a\x1c")
        to_the_course_map(run)
        run.press("m")
        run.wait_for("restart")
        run.wait_gone("q quit")  # until the new screen covers all of the one before
        assert psutil.Process(run.process.pid).status() != psutil.STATUS_STOPPED
        run.press("esc")
        run.wait_for("q quit")  # a q right after Esc would be Alt+Q
        run.press("q")
        assert run.wait_exit() == 0


def blocks(run: Terminal, number: signal.Signals) -> bool:
    run.read(0.01)
    status = Path(f"/proc/{run.process.pid}/status").read_text(encoding="ascii")
    (mask,) = re.findall(r"^SigBlk:\s+(\w+)$", status, re.MULTILINE)
    return bool(int(mask, 16) >> (number - 1) & 1)


# --- no user --------------------------------------------------------------------------------------

SHORT = "0.05"
"""Minutes. After half of this time tutor asks whether anyone is there."""


def test_without_a_key_it_asks_and_then_ends_with_a_message(tmp_path: Path) -> None:
    with kiosk(tmp_path, "--idle-limit", SHORT) as run:
        run.wait_for("Are you still there?")
        assert run.wait_exit() == 0
        assert "tutor: exited because no key was pressed for 3 seconds." in run.text
        assert b"\x1b[?1049l" in run.output
    assert b"Traceback" not in run.output


@pytest.mark.slow
def test_a_frozen_client_is_ended_too(tmp_path: Path) -> None:
    with kiosk(tmp_path, "--idle-limit", SHORT) as run:
        run.wait_for("esc skip")
        slave = os.open(f"/proc/{run.process.pid}/fd/0", os.O_RDWR | os.O_NOCTTY)
        termios.tcflow(slave, termios.TCOOFF)  # whatever is written from now on waits
        assert run.process.wait(timeout=60) == 0
        os.close(slave)
