"""Test the line for screen readers, and that nothing is drawn that they would read aloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.explorer.explorer_stage import lines
from tests.app.pressing import settle
from tests.app.whole_app import keys, sees, until, whole_app
from tests.labs.lab_stage import BackendEngine, do
from tutor.app.app import TutorApp
from tutor.app.background.settings_keeper import SettingsKeeper
from tutor.app.widgets.focus_line import FocusLine
from tutor.app.widgets.key_line import KeyLine
from tutor.settings.effective import Effective
from tutor.settings.schema import Settings


@pytest.fixture
def app(tmp_path: Path) -> TutorApp:
    settings = Settings(screen_reader=True)
    return whole_app(tmp_path, settings=SettingsKeeper(Effective(settings)))


def said(app: TutorApp) -> str:
    """Return the line above the key line."""
    (line,) = app.screen.query(FocusLine)
    (keys,) = app.screen.query(KeyLine)
    assert line.region.bottom == keys.region.y
    shown = lines(app)[line.region.y].strip()
    return line.said if shown == line.said[: len(shown)].strip() or "…" in shown else ""


async def test_the_selected_row_is_said_in_the_line_above_the_keys(app: TutorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: said(app).startswith("Row 1 of "))
        await keys(pilot, "down")
        await until(pilot, lambda: said(app).startswith("Row 2 of "))
        await keys(pilot, "s")
        await until(pilot, lambda: said(app).endswith(" percent."))
        before = said(app)
        await keys(pilot, "down", "down")
        await until(pilot, lambda: said(app) not in ("", before))
        assert said(app).endswith(" percent.")


async def test_a_field_is_said_with_its_text(app: TutorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "slash", "a", "b")
        await sees(pilot, "Field: ab")


async def test_the_line_stays_the_same_until_something_else_is_selected(app: TutorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Row 1 of ")
        before = said(app)
        await keys(pilot, "up")
        await settle(pilot)
        assert said(app) == before


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (140, 40)])
async def test_no_bars_or_boxes_are_drawn(app: TutorApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: said(app).startswith("Row 1 of "))
        await keys(pilot, "s")
        await until(pilot, lambda: said(app).endswith(" percent."))
        drawn = set("".join(lines(app)))
        assert not {char for char in drawn if "\u2500" <= char <= "\u25ff"}


async def test_a_view_without_a_selected_row_is_said_with_its_heading(app: TutorApp) -> None:
    """In the x-ray, this is the head whose attention is shown, or what the lens shows."""
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "s")
        await until(pilot, lambda: said(app).endswith(" percent."))
        await keys(pilot, "x")
        await until(pilot, lambda: said(app).startswith("layer "))
        before = said(app)
        await keys(pilot, "up")
        await until(pilot, lambda: said(app) not in ("", before))
        assert said(app).startswith("layer ")
        await keys(pilot, "tab")
        await until(pilot, lambda: said(app).startswith("what each layer would predict after"))


async def test_a_lab_without_a_selected_row_is_said_with_its_first_line(tmp_path: Path) -> None:
    settings = SettingsKeeper(Effective(Settings(screen_reader=True)))
    app = whole_app(tmp_path, BackendEngine(), lab="merges", settings=settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "z")
        await until(pilot, lambda: " tokens after 0 of " in said(app))
        await do(pilot, "right")
        await until(pilot, lambda: said(app).startswith("Row "))


async def test_without_the_setting_there_is_no_such_line(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert not app.screen.query(FocusLine)
