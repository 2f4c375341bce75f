"""Test the fuzzer, and a few of its cases."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fuzz import __main__ as fuzz
from tests.fuzz import templates
from tutor.lm import chat_template, template_process

ODD = (sys.executable, "-c", "import sys; print('odd'); sys.exit(int(sys.argv[1]) % 2)", fuzz.SEED)


def test_a_case_that_fails_is_kept_with_the_command_that_reproduces_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = iter([("odd", 2), ("odd", 3)])
    assert fuzz.run(cases, 60, tmp_path / "kept", {"odd": ODD}) == 1
    (file,) = (tmp_path / "kept").iterdir()
    assert file.name == "odd-3.txt"
    text = file.read_text()
    assert text.startswith(f"odd 3: {sys.executable} -c ")
    assert text.endswith("odd\n")
    assert "2 odd; 1 found something" in capsys.readouterr().out


def test_a_case_that_hangs_is_ended_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "LONGEST", 0.5)
    hang = (sys.executable, "-c", "import signal; signal.pause()")
    assert fuzz.run(iter([("hang", 1)]), 60, tmp_path, {"hang": hang}) == 1
    assert "still running after 0.5 seconds" in (tmp_path / "hang-1.txt").read_text()


def test_it_ends_when_the_time_is_over(tmp_path: Path) -> None:
    assert fuzz.run(fuzz.new(1, ["odd"]), -1, tmp_path, {"odd": ODD}) == 0


def test_every_known_seed_belongs_to_a_target() -> None:
    lines = fuzz.SEEDS.read_text().splitlines()
    assert len(list(fuzz.known(fuzz.SEEDS, list(fuzz.TARGETS)))) == len(lines)


def test_some_random_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "TEMPLATES", 10)
    monkeypatch.setattr(chat_template, "TIME_LIMIT", chat_template.TIME_LIMIT)
    monkeypatch.setattr(template_process, "GRACE", template_process.GRACE)
    templates.run(1)
