"""Test `tutor config`."""

from __future__ import annotations

import pytest

from tests.cli.command_line import Tutor
from tutor.settings.file import config_file

FILE = """\
# mine
them = "light"

[review]
retention = 0.85

[keys]
"stepper.undoo" = "f2"
"""


@pytest.fixture
def own_file(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path_factory.mktemp("data")))
    monkeypatch.delenv("TUTOR_THEME", raising=False)


@pytest.mark.usefixtures("own_file")
def test_path_show_and_check(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tutor("config", "path").out == f"{config_file()}\n"
    assert tutor("config", "check").out == (
        "There is no config.toml, so there is nothing to check.\n"
    )
    config_file().write_text(FILE)
    found = tutor("config", "check")
    assert found.status == 1
    assert found.out.splitlines() == [
        "line 2: There is no setting 'them'. Did you mean theme?",
        "line 8: There is no action 'stepper.undoo'. Did you mean stepper.undo?",
    ]
    monkeypatch.setenv("TUTOR_ASCII", "1")
    lines = {
        line.split()[0]: line.split()[1:]
        for line in tutor("--theme", "dark", "config", "show").out.splitlines()
    }
    assert lines["theme"] == ["dark", "--theme"]
    assert lines["ascii"] == ["on", "TUTOR_ASCII"]
    assert lines["review.retention"] == ["0.85", "config.toml"]
    assert lines["mouse"] == ["auto", "default"]
    config_file().write_text("[review]\nretention = 0.85\n")
    assert tutor("config", "check").out == "The settings are valid.\n"


@pytest.mark.usefixtures("own_file")
def test_an_invalid_file_stops_no_command(tutor: Tutor) -> None:
    config_file().write_text("theme =\n")
    assert tutor("review", "--due").out == "0\n"
    assert tutor("config", "check").out.startswith("line 1: This is not valid TOML")


@pytest.mark.usefixtures("own_file")
def test_the_language_of_the_file_is_said_to_come_from_it(
    tutor_process: Tutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUTOR_LANGUAGE", raising=False)
    config_file().write_text('language = "de"\n')
    lines = tutor_process("config", "show").out.splitlines()
    assert ["language", "de", "config.toml"] in [line.split() for line in lines]


@pytest.mark.usefixtures("own_file")
def test_an_invalid_variable_is_named(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_MOUSE", "x")
    assert tutor("config", "show").err == (
        'tutor: TUTOR_MOUSE cannot be used: mouse must be one of auto, off, on; it is "x".\n'
    )
