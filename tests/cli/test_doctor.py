"""Test the page that describes an installation."""

from __future__ import annotations

import json
import re
import socket
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.command_line import Tutor
from tutor import __version__

_ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")


def values(tutor: Tutor, *arguments: str) -> dict[str, str]:
    sections = json.loads(tutor("doctor", "--json", *arguments).out)
    return {line["label"]: line["value"] for lines in sections.values() for line in lines}


def test_it_names_versions_model_processor_terminal_and_folders(
    tutor: Tutor, tmp_path: Path, tiny_model: str
) -> None:
    found = values(tutor, "--model", tiny_model)
    assert found["tutor"].startswith(__version__)
    assert tiny_model in found["model"]
    assert "16-bit" in found["fast kernels"]
    assert found["size"] == "80x24"
    assert str(tmp_path / "data") in found["data"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no shared engines on Windows")
def test_a_shared_engine_that_was_killed_is_not_running(
    tutor: Tutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "engine.sock"
    monkeypatch.setenv("TUTOR_ENGINE", str(path))
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(path))
        assert values(tutor)["shared engine"] == f"{path} (not running)"
        engine.listen()
        assert values(tutor)["shared engine"] == str(path)


def test_it_lists_every_extra_for_users(tutor: Tutor) -> None:
    page = (_ROOT / "docs/install.md").read_text(encoding="utf-8")
    documented = re.findall(
        r"^- `(\w+)`:", page.split("## Extras")[1].split("## ")[0], re.MULTILINE
    )
    listed = [label[1:-1] for label in values(tutor) if label.startswith("[")]
    assert sorted(listed) == sorted(documented)
    declared = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    others = {"test", "browser", "site", "corpus", "reference"}  # for those who work on tutor
    assert sorted(listed) == sorted(declared["optional-dependencies"].keys() - others)


def test_what_is_wrong_is_marked_and_said_below(
    tutor: Tutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    outcome = tutor("doctor", "--model", "nowhere.gguf")
    assert outcome.status == 1
    lines = outcome.out.splitlines()
    assert any(line.startswith("  ! size") for line in lines)
    assert any(line.startswith("  ! model") for line in lines)
    assert "The terminal is smaller than 40x12, so some text is cut off. Make it larger." in lines
    assert any("Run `tutor model list`" in line for line in lines)


def test_nothing_wrong(tutor: Tutor, tiny_model: str) -> None:
    outcome = tutor("doctor", "--model", tiny_model)
    assert [line for line in outcome.out.splitlines() if line.startswith("  !")] == []
    assert (outcome.status, outcome.out.splitlines()[-1]) == (0, "Everything looks fine.")


def test_keys_and_the_home_folder_stay_out_of_it(
    tutor: Tutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TUTOR_SOMETHING", "a secret value")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    out = tutor("doctor").out
    assert "TUTOR_SOMETHING" in out
    assert "secret" not in out
    assert str(tmp_path) not in out
    assert "~/data" in out
