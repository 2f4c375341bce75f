"""Test editing a text in the learner's own editor, on a real terminal and alone."""

from __future__ import annotations

import os
import pty
import signal
import stat
import sys
import tempfile
import termios
from pathlib import Path

import psutil
import pytest

from tests.app.whole_app import keys, sees, whole_app
from tests.shipped_course import with_cached_course
from tests.terminal import Terminal
from tutor.allowed import LOCKED_DOWN
from tutor.app.terminal import external_editor
from tutor.app.terminal.external_editor import Editing, EditorError, command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")


def editor(folder: Path, script: str) -> list[str]:
    """Return the command of an editor that runs this Python, with the file as `path`."""
    file = folder / "editor.py"
    file.write_text(f"import os, pathlib, sys, time\npath = pathlib.Path(sys.argv[1])\n{script}\n")
    return [sys.executable, str(file)]


def edited(text: str, run_editor: list[str], longest: int) -> str:
    return Editing(run_editor, longest).edited(text)


def test_the_file_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f"pathlib.Path({str(seen)!r}).write_text(f'{{path}} {{path.stat().st_mode}}')\n"
    script += "path.write_text(path.read_text().upper() + 'ä\\r\\n')"
    assert edited("one\ntwo", editor(tmp_path, script), 100) == "ONE\nTWO\nä"
    path, mode = seen.read_text().split()
    assert stat.S_IMODE(int(mode)) == 0o600
    assert not Path(path).parent.exists()


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("path.write_bytes(b'\\xff')", "UTF-8"),
        ("path.write_text('a\\x1b[31m')", "control characters"),
        ("path.write_text('a' * 101)", "more than 100 characters"),
        ("path.write_text('ä' * 1000)", "more than 100 characters"),
        ("sys.exit(3)", "status 3"),
        ("os.kill(os.getpid(), 9)", "stopped by signal 9"),
        ("path.unlink()", "No such file"),
        ("path.unlink(); os.symlink('/etc/passwd', path)", "links are not followed"),
        ("path.unlink(); os.mkfifo(path)", "not a regular file"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused(
    tmp_path: Path, script: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(EditorError, match=problem):
        edited("one", editor(tmp_path, script), 100)


@pytest.mark.parametrize(
    ("script", "saved"),
    [
        ("path.write_text('a' * 101)", {"text.txt": "a" * 101}),
        ("path.write_text('two'); sys.exit(1)", {"text.txt": "two"}),
        (
            "path.with_name('.text.swp').write_text('two'); os.kill(os.getpid(), 9)",
            {"text.txt": "one\n", ".text.swp": "two"},
        ),
        ("sys.exit(1)", None),
    ],
)
def test_what_the_editor_saved_is_kept_if_it_is_refused(
    tmp_path: Path, script: str, saved: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(EditorError) as refused:
        edited("one", editor(tmp_path, script), 100)
    kept = list(tmp_path.glob("tutor-*"))
    if saved is None:
        assert not kept
        assert refused.value.next_step == external_editor.UNCHANGED
    else:
        (folder,) = kept
        assert str(folder) in refused.value.next_step
        assert {each.name: each.read_text() for each in folder.iterdir()} == saved
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def line_modes_of_a_new_terminal() -> tuple[int, ...]:
    ends = pty.openpty()
    try:
        return tuple(termios.tcgetattr(ends[0])[:4])
    finally:
        for end in ends:
            os.close(end)


ON_SIGNAL = """
import signal, termios, tty
def save(number, frame):
    time.sleep(0.3)
    path.with_name("text.save").write_text("what I wrote")
    {then}
signal.signal(signal.SIGTERM, save)
signal.signal(signal.SIGHUP, save)
tty.setraw(0)
path.parent.with_name("pid").write_text(str(os.getpid()))
print("\\x1b[?1049h\\x1b[?25l", "in the editor", flush=True)
time.sleep(300)
time.sleep(300)
"""


def in_the_editor(run: Terminal, folder: Path) -> psutil.Process:
    """Open the editor from the stepper, and return its process."""
    run.wait_for("no model ×")
    run.press("s")
    run.wait_for("esc back")
    run.press("e")
    run.wait_for("enter accept")
    run.send(" one\x07")
    run.wait_for("in the editor")
    return psutil.Process(int((folder / "pid").read_text()))


def environment_with(editor: str, folder: Path) -> dict[str, str]:
    return {
        "TUTOR_DATA": str(with_cached_course(folder)),
        "TUTOR_MODEL": str(folder / "no-such-model.gguf"),
        "EDITOR": editor,
        "TMPDIR": str(folder),
    }


def wrapped(folder: Path, program: list[str]) -> str:
    """Return a script that runs the editor, as many values of EDITOR are."""
    wrapper = folder / "wrapper"
    wrapper.write_text(f'#!/bin/sh\n{" ".join(program)} "$@"\nexit $?\n')
    wrapper.chmod(0o700)
    return str(wrapper)


@pytest.mark.parametrize(
    ("number", "then"),
    [
        (signal.SIGTERM, "sys.exit(1)"),
        pytest.param(signal.SIGHUP, "pass", marks=pytest.mark.waits),
        pytest.param(signal.SIGHUP, "sys.exit(0)", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, "sys.exit(1)", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, "sys.exit(0)", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, "pass", marks=pytest.mark.slow),
    ],
)
def test_a_signal_to_tutor_also_ends_the_editor(
    tmp_path: Path, number: signal.Signals, then: str
) -> None:
    program = wrapped(tmp_path, editor(tmp_path, ON_SIGNAL.format(then=then)))
    environment = environment_with(program, tmp_path)
    with Terminal([sys.executable, "-m", "tutor"], environment=environment) as run:
        process = in_the_editor(run, tmp_path)
        run.signal(number)
        assert run.wait_exit() == 128 + number
        if then == "pass":
            process.kill()  # an editor that does not obey stays, as it does after other programs
        process.wait()
        (folder,) = tmp_path.glob("tutor-*")
        assert (folder / "text.save").read_text() == "what I wrote"
        assert f"saved in {folder}" in run.output.decode().replace("\r\n", "")
        for on, off in (("?1049h", "?1049l"), ("?25l", "?25h")):
            assert run.output.rfind(on.encode()) < run.output.rfind(off.encode())
        assert run.line_modes() == line_modes_of_a_new_terminal()


def test_a_closed_terminal_leaves_what_the_editor_saves(tmp_path: Path) -> None:
    """The signal reaches the script and the editor as early as tutor."""
    program = wrapped(tmp_path, editor(tmp_path, ON_SIGNAL.format(then="sys.exit(0)")))
    environment = environment_with(program, tmp_path)
    with Terminal([sys.executable, "-m", "tutor"], environment=environment) as run:
        process = in_the_editor(run, tmp_path)
        os.killpg(os.getpgid(process.pid), signal.SIGHUP)
        run.wait_exit()
        process.wait()
        (folder,) = tmp_path.glob("tutor-*")
        assert (folder / "text.save").read_text() == "what I wrote"


def test_visual_comes_before_editor() -> None:
    assert command({"VISUAL": "sh -c true", "EDITOR": "nano"}) == ["sh", "-c", "true"]
    for wrong in ({}, {"EDITOR": "no-such-program"}, {"EDITOR": "'"}):
        with pytest.raises(EditorError):
            command(wrong)


def test_the_editor_gets_the_terminal_and_its_text_comes_back(tmp_path: Path) -> None:
    # Ctrl+C has its default action here, because Python's own `input` can miss the signal: it waits
    # for a line forever when the signal arrives just before it reads.
    script = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    script += "print('in the editor', flush=True)\nadded = input()\n"
    script += "path.write_text(path.read_text().strip() + added)"
    run_editor = " ".join(editor(tmp_path, script))
    folders = {"TUTOR_DATA": str(with_cached_course(tmp_path))}
    folders["TUTOR_MODEL"] = str(tmp_path / "no-such-model.gguf")
    # The signal at the end is only for tutor, so the editor continues, and its folder stays.
    environment = {**folders, "EDITOR": run_editor, "TMPDIR": str(tmp_path)}
    with Terminal([sys.executable, "-m", "tutor"], environment=environment) as run:
        run.wait_for("no model ×")
        run.press("s")
        run.wait_for("esc back")
        run.press("e")
        run.wait_for("enter accept")
        run.send(" one\x07")  # Ctrl+G
        run.wait_for("in the editor")
        run.send(" two\r")
        run.wait_for("enter accept")
        run.wait_for("one two")
        run.send("\x07")
        run.wait_for("in the editor")
        run.send("\x03")  # Ctrl+C ends the editor, not tutor
        run.wait_for("The editor was stopped by signal")
        run.wait_for("one two")
        run.send("\x07")
        run.wait_for("in the editor")
        run.signal(signal.SIGHUP)
        run.wait_exit()


async def test_a_kiosk_runs_no_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", f"{sys.executable} -c 'raise SystemExit(1)'")
    app = whole_app(tmp_path, allowed=LOCKED_DOWN)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "s")
        await sees(pilot, "seed 2")
        await keys(pilot, "e")
        await sees(pilot, "enter accept")
        assert not any(
            each.binding.action == "edit_outside" and each.enabled
            for each in app.screen.active_bindings.values()
        )
        await keys(pilot, "ctrl+g")
