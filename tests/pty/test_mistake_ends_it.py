"""Test the report of a bug that ends the app."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("there are no ptys on Windows", allow_module_level=True)

from tests.terminal import Terminal
from tutor.app.terminal.crash import record_of

KEY = "sk-test-0123456789abcdef"
TEXT = "a text that only the learner knows"
PROGRAM = f"""
import os
from tutor.app.app import TutorApp
from tutor.cli import main

def mistaken(self):
    key, text = os.environ["OPENAI_API_KEY"], {TEXT!r}
    raise ValueError("the server did not like " + key + "\\x1b]52;c;x\\x07")

TutorApp.action_help = mistaken
raise SystemExit(main([]))
"""


def crashed(data: Path) -> Terminal:
    environment = {"TUTOR_DATA": str(data), "TUTOR_MODEL": str(data / "none")}
    environment["OPENAI_API_KEY"] = KEY
    return Terminal([sys.executable, "-c", PROGRAM], environment=environment)


def test_a_bug_is_reported_in_three_lines_and_kept_without_keys_or_texts(tmp_path: Path) -> None:
    file = tmp_path / "crash.txt"
    with crashed(tmp_path) as run:
        run.wait_for("q quit")
        run.press("?")
        assert run.wait_exit() == 1
        assert run.output.endswith(b"to continue where you were.\r\n")
        after = run.output[run.output.rindex(b"\x1b[?1049l") :]  # the screen is restored
        assert after.count(b"\n") == 3
        assert str(file).encode() in after
        assert b"ValueError" in after
        for hidden in (KEY, TEXT):
            assert hidden.encode() not in run.output
    kept = file.read_text()
    assert "in mistaken" in kept
    assert "did not like ***" in kept
    assert TEXT not in kept
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_report_is_printed_safely_if_no_file_can_be_written(tmp_path: Path) -> None:
    with crashed(tmp_path) as run:
        run.wait_for("q quit")
        (tmp_path / "crash.txt").mkdir()
        run.press("?")
        assert run.wait_exit() == 1
        after = run.output[run.output.rindex(b"\x1b[?1049l") :]
        assert b"in mistaken" in after
        assert b"\x1b]52" not in after
        assert KEY.encode() not in after


def test_no_key_of_the_environment_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    assert KEY not in record_of(ValueError(f"sent {KEY} and {KEY[:12]}"))
    assert KEY[:12] not in record_of(ValueError(f"sent {KEY} and {KEY[:12]}"))
