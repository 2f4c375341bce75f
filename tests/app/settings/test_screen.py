"""Test the settings screen, driven by the keyboard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.app.clicking import click
from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tutor.allowed import LOCKED_DOWN
from tutor.app.background.settings_keeper import SettingsKeeper
from tutor.app.settings.explanation import Explanation
from tutor.app.terminal.background_color import BackgroundReported
from tutor.learner import review
from tutor.learner.progress import Progress
from tutor.models.report import Pulled
from tutor.settings.catalogue import with_value
from tutor.settings.effective import in_effect
from tutor.settings.file import config_file
from tutor.settings.reading import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.models.report import PullProgress


@pytest.fixture(autouse=True)
def _own_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    for name in ("TUTOR_THEME", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


async def test_a_theme_takes_effect_at_once_is_written_and_can_be_undone(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "comma")
        await sees(pilot, "Theme                 auto")
        await keys(pilot, "right", "right")
        await sees(pilot, "light")
        assert app.theme == "tutor-light"
        assert load(config_file()).settings.theme == "light"
        assert "config.toml" in shown(app).split("Theme")[1].splitlines()[0]
        await keys(pilot, "u")
        assert app.theme == "tutor"
        assert load(config_file()).settings.theme == "dark"
        await keys(pilot, "u")
        assert load(config_file()).given == frozenset()
        assert "u undo" not in shown(app)


async def test_values_can_be_typed_and_are_checked(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "comma", *["down"] * 8)
        await sees(pilot, "The probability that you still know")
        await keys(pilot, "enter", *["backspace"] * 4, *"0.5", "enter")
        await sees(pilot, "review.retention must be between 0.8 and 0.95; it is 0.5.")
        await keys(pilot, *["backspace"] * 3, *"0.85", "enter")
        await until(pilot, lambda: app.services.retention == 0.85)
        assert load(config_file()).settings.review.retention == 0.85
        await keys(pilot, "left")
        assert app.services.retention == 0.84
        await keys(pilot, "enter", *"9", "escape")
        assert app.services.retention == 0.84
        await keys(pilot, "z")
        assert app.services.retention == 0.9


@pytest.mark.parametrize(("key", "value"), [("left", 0.0), ("right", 0.9)])
async def test_a_key_that_changes_no_value_writes_nothing(
    tmp_path: Path, key: str, value: float
) -> None:
    effective = in_effect(lambda entry: None)
    settings = with_value(effective.settings, "sampler.min_p", value)
    app = whole_app(tmp_path, settings=SettingsKeeper(replace(effective, settings=settings)))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "comma")
        await sees(pilot, "Theme")
        while "› Min-p" not in shown(app):
            await keys(pilot, "down")
        await keys(pilot, key, "enter", "enter", "z")  # the field opens with the same value
        assert not config_file().exists()
        assert "u undo" not in shown(app)
        await keys(pilot, "left" if key == "right" else "right")
        await sees(pilot, "u undo")
        assert load(config_file()).given == {"sampler.min_p"}


async def test_an_option_overrides_the_file_until_the_next_start(tmp_path: Path) -> None:
    effective = in_effect(lambda entry: "dark" if entry.name == "theme" else None)
    app = whole_app(tmp_path, settings=SettingsKeeper(effective))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "comma")
        await sees(pilot, "Now set by --theme")
        await keys(pilot, "right")
        await sees(pilot, "overrides the file")
        assert app.theme == "tutor"
        assert load(config_file()).settings.theme == "light"


async def test_a_message_about_a_setting_disappears_with_the_next_row(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "comma")
        await until(pilot, lambda: "Plain mode" in shown(app))
        while "› Plain mode" not in shown(app):
            await keys(pilot, "down")
        await keys(pilot, "right")
        await sees(pilot, "It takes effect when tutor starts again.")
        await keys(pilot, "down")
        assert "takes effect" not in shown(app)
        await keys(pilot, "up", "u")
        await sees(pilot, "was undone.")


async def test_a_limit_of_the_learner_gives_way_to_one_that_is_changed_here(
    tmp_path: Path,
) -> None:
    Progress.open(tmp_path).save_setting(review.CAP_SETTING, 25)
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "comma", *["down"] * 9)
        await sees(pilot, "tutor review --cap")
        await keys(pilot, "right")
        assert load(config_file()).settings.review.a_day == 30
        assert review.limits(app.progress.setting, app.services.settings.current.review).cap == 30
        await sees(pilot, "Reviews a day         30")


async def test_a_locked_down_login_cannot_choose_a_model(tmp_path: Path) -> None:
    app = whole_app(tmp_path, allowed=LOCKED_DOWN)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "comma")
        await sees(pilot, "Language")
        assert "Model  " not in shown(app)


async def test_a_file_that_is_not_toml_is_reported_and_stays(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text("theme =\n")
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "comma", "right")
        await sees(pilot, "not valid TOML")
        assert config_file().read_text() == "theme =\n"


async def test_auto_follows_the_background_and_remembers_it(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        app.post_message(BackgroundReported(light=True))
        await until(pilot, lambda: app.theme == "tutor-light")
        app.progress.drain(5.0)
    assert whole_app(tmp_path).theme == "tutor-light"


async def test_a_new_text_has_the_sampler_of_the_settings(tmp_path: Path) -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text("[sampler]\ntop_k = 5\n")
    app = whole_app(tmp_path, settings=SettingsKeeper(in_effect()))
    async with app.run_test(size=(100, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "s")
        await sees(pilot, "top-k 5")


async def test_an_explanation_that_does_not_fit_says_so_and_pages(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "comma")
        await sees(pilot, "▼ 4 more lines below  space")
        assert "override it." not in shown(app)
        await keys(pilot, "space", "space")
        await sees(pilot, "override it.")
        await sees(pilot, "▲ 4 lines above  space")
        await keys(pilot, "space")
        await sees(pilot, "The colors of the screen.")
        await click(pilot, app, "▼ 4")
        await until(pilot, lambda: "The colors of the screen." not in shown(app))
        await keys(pilot, "down")
        await sees(pilot, "› Mouse")
        await until(pilot, lambda: app.screen.query_one(Explanation).scroll_y == 0)
        await pilot.resize_terminal(130, 40)
        await until(pilot, lambda: "below" not in shown(app))
        assert "space" not in shown(app)


async def test_the_default_model_is_named_while_the_small_one_replaces_it(tmp_path: Path) -> None:
    downloaded = asyncio.Event()

    async def fetch(on_progress: Callable[[PullProgress], None]) -> Pulled:
        await downloaded.wait()
        return Pulled("/models/x.gguf", fetched=True)

    app = whole_app(tmp_path, model_missing=lambda: not downloaded.is_set(), fetch=fetch)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "downloading")
        await keys(pilot, "comma")
        await sees(pilot, "Model                 default (Fake-1K)")
        downloaded.set()
        await until(pilot, lambda: "default (Fake-1K)" not in shown(app))
        assert "Model                 default " in shown(app)


async def test_the_selected_setting_stays_visible_while_its_value_is_typed(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "comma", *("down",) * 11)
        selected = next(line for line in shown(app).split("\n") if "›" in line).split("  ")[0]
        await sees(pilot, "more lines below  pgdn")
        await keys(pilot, "enter")
        await until(pilot, lambda: app.screen.has_class("-editing"))
        await sees(pilot, selected)
        assert "pgdn" not in shown(app)  # the field has the focus


async def test_the_available_languages_are_named_and_can_be_chosen(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "comma")
        while "› Language" not in shown(app):
            await keys(pilot, "down")
        told = " ".join(shown(app).split())
        assert "You can choose en (English) or de (Deutsch)." in told
        await keys(pilot, "right")
        await sees(pilot, "takes effect when tutor starts again")
        assert load(config_file()).settings.language == "de"
        await keys(pilot, "left")
        assert load(config_file()).settings.language == ""
