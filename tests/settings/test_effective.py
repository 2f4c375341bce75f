"""Test what overrides the settings of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tutor.labs.kit.dials import DIALS, reading
from tutor.lm.distribution import PLAIN
from tutor.settings.catalogue import ENTRIES, Entry, value_of
from tutor.settings.effective import in_effect
from tutor.settings.file import config_file
from tutor.settings.reading import Loaded, parse
from tutor.settings.schema import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.settings.catalogue import Value

FILE = parse('theme = "light"\nmodel = "mine"\nlanguage = "de"\n[review]\nretention = 0.8\n')


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in ENTRIES.values():
        if entry.variable:
            monkeypatch.delenv(entry.variable, raising=False)


def options(**given: Value) -> Callable[[Entry], Value | None]:
    return lambda entry: given.get(entry.name)


def test_the_environment_overrides_the_file_and_an_option_overrides_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TUTOR_THEME", "dark")
    monkeypatch.setenv("TUTOR_LANGUAGE", "fr")
    monkeypatch.setenv("TUTOR_ASCII", "1")
    effective = in_effect(options(theme="contrast"), loaded=FILE)
    names = ("theme", "language", "model", "ascii", "review.retention", "mouse")
    assert [(effective.value(name), effective.explain(name)) for name in names] == [
        ("contrast", "--theme"),
        ("fr", "TUTOR_LANGUAGE"),
        ("mine", "config.toml"),
        (True, "TUTOR_ASCII"),
        (0.8, "config.toml"),
        ("auto", "default"),
    ]


def test_the_language_of_the_file_is_not_an_override(monkeypatch: pytest.MonkeyPatch) -> None:
    # When tutor starts, it copies the language from the file to the environment.
    monkeypatch.setenv("TUTOR_LANGUAGE", "de")
    effective = in_effect(loaded=FILE)
    assert (effective.value("language"), effective.explain("language")) == ("de", "config.toml")


def test_a_kiosk_ignores_the_model_in_the_file() -> None:
    effective = in_effect(kiosk=True, loaded=FILE)
    assert (effective.value("model"), effective.source("model")) == ("", "default")
    assert effective.value("theme") == "light"


def test_an_invalid_variable_is_a_problem_but_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_THEME", "blue")
    effective = in_effect(loaded=FILE)
    assert effective.value("theme") == "light"
    assert [problem.happened[:27] for problem in effective.problems] == [
        "TUTOR_THEME cannot be used:"
    ]


def test_a_file_that_cannot_be_read_is_a_problem_but_not_an_error() -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_bytes(b"\xff")
    try:
        effective = in_effect()
    finally:
        config_file().unlink()
    assert effective.settings == Settings()
    assert "cannot be read" in effective.problems[0].happened


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.name)
def test_every_stop_is_valid_and_can_be_reached_and_typed(entry: Entry) -> None:
    assert entry.default == value_of(Settings(), entry.name)
    value = entry.stops[0] if entry.stops else entry.default
    reached = {value}
    for _ in entry.stops:
        value = entry.moved(value, 1)
        reached.add(value)
    assert reached >= set(entry.stops)
    for stop in entry.stops:
        assert entry.parsed(str(stop).lower()) == stop


def test_a_step_of_the_sampler_is_off_in_the_words_of_the_stepper() -> None:
    for dial in DIALS[1:]:
        entry = ENTRIES[f"sampler.{dial.field}"]
        off = msgspec.structs.replace(PLAIN, **{dial.field: dial.off})
        assert entry.shown(entry.parsed("off")) == reading(off, dial) == "off"
        assert entry.parsed("off") == dial.off


def test_a_value_that_is_typed_is_checked() -> None:
    for text in ("0.5", "much", ""):
        with pytest.raises(ValueError, match=r"\."):
            ENTRIES["review.retention"].parsed(text)


@pytest.mark.parametrize(("text", "on"), [("1", True), ("yes", True), ("0", False), ("off", False)])
def test_a_switch_in_the_environment_can_be_off(
    monkeypatch: pytest.MonkeyPatch, text: str, on: bool
) -> None:
    monkeypatch.setenv("TUTOR_ASCII", text)
    effective = in_effect(loaded=Loaded())
    assert effective.settings.ascii is on
    assert effective.source("ascii") == "environment"
