"""Test reading the settings file."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.settings.file import LARGEST, config_file, language_in_file
from tutor.settings.reading import Loaded, load, parse
from tutor.settings.schema import Problem, ReviewSettings, Settings, SettingsError


def test_a_missing_file_has_the_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path / "config.toml")
    assert loaded.settings == Settings()
    assert loaded.given == frozenset()


def test_values_are_read_and_named() -> None:
    loaded = parse('theme = "light"\n\n[review]\nretention = 0.85\n\n[keys]\n"step.undo" = "f2"\n')
    assert loaded.settings.theme == "light"
    assert loaded.settings.review == ReviewSettings(retention=0.85)
    assert loaded.settings.keys == {"step.undo": "f2"}
    assert loaded.given == {"theme", "review.retention", "keys"}
    assert loaded.problems == ()


def test_an_unknown_setting_is_named_with_its_line_and_a_suggestion() -> None:
    loaded = parse('# mine\nthem = "light"\n\n[review]\nretenton = 0.9\n')
    assert loaded.problems == (
        Problem(2, "There is no setting 'them'.", "Did you mean theme?"),
        Problem(5, "There is no setting 'review.retenton'.", "Did you mean review.retention?"),
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('theme = "blue"', 1),
        ("ascii = 1", 1),
        ("\n[review]\nretention = 0.5", 3),
        ("review.retention = 2", 1),
        ("sampler = 3", 1),
        ("[sampler]\ntop_p = 0", 2),
        ("theme =", 1),
        ("[review\n", 1),
        ("keys = { a = 1 }", 1),
    ],
)
def test_an_invalid_value_keeps_its_default(text: str, line: int) -> None:
    loaded = parse(text + "\n")
    assert [problem.line for problem in loaded.problems] == [line]
    assert loaded.settings == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('mouse = "sometimes"', 'mouse must be one of auto, off, on; it is "sometimes".'),
        ("[review]\nretention = 1", "review.retention must be between 0.8 and 0.95; it is 1."),
        (
            "[review]\na_day = 2.5",
            "review.a_day must be a whole number between 0 and 9999; it is 2.5.",
        ),
        (
            "[sampler]\ntop_k = -1",
            "sampler.top_k must be a whole number of at least 0; it is -1.",
        ),
        ("[sampler]\ntop_p = 0", "sampler.top_p must be more than 0 and at most 1; it is 0."),
        (
            '[sampler]\nmin_p = "x\\u001b"',
            'sampler.min_p must be at least 0 and less than 1; it is "x\\u001b".',
        ),
        ("plain = 1", "plain must be true or false; it is 1."),
        ("model = false", "model must be a string in quotation marks; it is false."),
        ("sampler = 3", "sampler must be a table; it is 3."),
        ("[keys]\na = 1", 'keys must be a table of strings; it is {"a": 1}.'),
        ("plain = 1979-05-27", 'plain must be true or false; it is "1979-05-27".'),
    ],
)
def test_the_values_that_are_allowed_are_named(text: str, said: str) -> None:
    assert [problem.happened for problem in parse(text + "\n").problems] == [said]


def test_one_invalid_value_does_not_affect_the_others() -> None:
    loaded = parse('mouse = "maybe"\nlanguage = "de"\n[review]\na_day = -1\nnew_a_day = 3\n')
    assert loaded.settings.language == "de"
    assert loaded.settings.review == ReviewSettings(new_a_day=3)
    assert len(loaded.problems) == 2


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read"):
        load(file)


def test_the_file_is_in_the_data_folder_that_was_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path))
    assert config_file() == tmp_path / "config.toml"


def test_a_path_that_was_chosen_comes_before_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TUTOR_CONFIG", str(tmp_path / "mine.toml"))
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    (tmp_path / "mine.toml").write_text('language = "de"\n')
    assert config_file() == config_file(str(tmp_path / "other")) == tmp_path / "mine.toml"
    assert language_in_file(str(tmp_path / "other")) == "de"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_the_language_is_not_read_from_a_pipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("TUTOR_CONFIG", str(tmp_path / "pipe"))
    assert language_in_file() == ""


@given(st.text())
def test_no_text_is_an_exception(text: str) -> None:
    assert isinstance(parse(text).settings, Settings)


def test_every_default_is_valid() -> None:
    assert msgspec.convert(msgspec.to_builtins(Settings()), Settings) == Settings()


@pytest.mark.parametrize(
    "value", ["9" * 5000, "[" * 20_000, "{a=" * 3000], ids=["digits", "lists", "tables"]
)
def test_a_value_that_cannot_be_parsed_is_a_problem(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"ascii = {value}\n")
    monkeypatch.setenv("TUTOR_CONFIG", str(file))
    assert load(file).settings == Settings()
    assert "not valid TOML" in load(file).problems[0].happened
    assert language_in_file() == ""


def test_a_file_that_is_far_too_large_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"#" * (LARGEST + 1))
    monkeypatch.setenv("TUTOR_CONFIG", str(file))
    with pytest.raises(SettingsError, match="larger than 1 MB"):
        load(file)
    assert language_in_file() == ""


def test_the_null_device_contains_no_settings() -> None:
    assert load(Path(os.devnull)) == Loaded()


def test_a_null_character_is_a_problem() -> None:
    loaded = parse('language = "de\\u0000"\nmodel = "a\\u0000"\n')
    assert loaded.settings == Settings()
    assert [problem.line for problem in loaded.problems] == [1, 2]
