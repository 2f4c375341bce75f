"""Test editing a text in the learner's own editor, on a real terminal and alone."""

from __future__ import annotations

import signal
import stat
import sys
from pathlib import Path

import pytest

from tests.app.whole_app import keys, sees, whole_app
from tests.terminal import Terminal
from tutor.allowed import LOCKED_DOWN
from tutor.app.terminal.external_editor import EditorError, command, edited

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")


def editor(folder: Path, script: str) -> list[str]:
    """Return the command of an editor that runs this Python, with the file as `path`."""
    file = folder / "editor.py"
    file.write_text(f"import os, pathlib, sys, time\npath = pathlib.Path(sys.argv[1])\n{script}\n")
    return [sys.executable, str(file)]


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
def test_a_text_that_cannot_be_used_is_refused(tmp_path: Path, script: str, problem: str) -> None:
    with pytest.raises(EditorError, match=problem):
        edited("one", editor(tmp_path, script), 100)


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
    folders = {"TUTOR_DATA": str(tmp_path), "TUTOR_MODEL": str(tmp_path / "no-such-model.gguf")}
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
