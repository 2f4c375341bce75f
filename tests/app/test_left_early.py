"""Tests screens that are closed, with or without the app, while they wait for a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.css.query import NoMatches

from tests.app.whole_app import keys, sees, until, whole_app
from tests.sample_course import SlowCourse
from tutor.app.reader.finder import SearchScreen

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_search_that_ends_after_its_screen_was_closed_does_no_harm(tmp_path: Path) -> None:
    course = SlowCourse()
    app = whole_app(tmp_path, course=course)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "> Begin")
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen))
        await pilot.press("t")
        await until(pilot, course.begun.is_set)
        await pilot.press("escape")
        await sees(pilot, "> Begin")
        course.go_on.set()
        await keys(pilot, "v")
        await sees(pilot, "glossary")
    assert app.crash is None


async def test_a_missing_widget_is_a_bug(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    with pytest.raises(NoMatches):  # noqa: PT012  (it is raised at the end)
        async with app.run_test(size=(80, 24)) as pilot:
            await sees(pilot, "> Begin")
            app._handle_exception(NoMatches("nothing"))
    assert isinstance(app.crash, NoMatches)


async def test_a_missing_widget_while_the_program_ends_is_ignored(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "> Begin")
        app.exit()
        app._handle_exception(NoMatches("nothing"))
    assert app.crash is None
