"""Tests screens that are closed, with or without the app, while they wait for a result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from textual.css.query import NoMatches

from tests.app.explorer.explorer_stage import Stage, settled
from tests.app.pressing import event_of, settle
from tests.app.whole_app import keys, sees, until, whole_app
from tests.engine.fake_engine import FakeEngine
from tests.sample_course import SlowCourse
from tutor.app.base_screen import TutorScreen
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.reader.finder import SearchScreen
from tutor.app.widgets.static import Static
from tutor.engine.api import EngineState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.pilot import Pilot


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


class Waiting(TutorScreen):
    """A screen that shows a result when it arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.result: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def compose_content(self) -> ComposeResult:
        yield Static(id="result")

    def on_mount(self) -> None:
        self.run_worker(self._wait())

    async def _wait(self) -> None:
        result = await self.result
        self.query_one("#result", Static).update(result)


async def test_a_result_never_reaches_a_screen_that_has_lost_its_widgets(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "> Begin")
        screen = Waiting()
        app.push_screen(screen)
        await settle(pilot)
        app.post_message(event_of("escape"))
        await _step(lambda: not screen.query("#result"))
        if not screen.result.done():
            screen.result.set_result("late")
        await sees(pilot, "> Begin")
    assert app.crash is None


async def test_a_pane_that_is_being_removed_hears_nothing_more(tmp_path: Path) -> None:
    app = Stage(ExplorerScreen, folder=tmp_path)
    async with app.run_test(size=(20, 10)) as pilot:
        await settled(pilot)
        pane = app.screen.query_one(ExplorerPane)
        app.fake.hold()
        app.post_message(event_of("1"))
        await settle(pilot)
        app.post_message(event_of("escape"))
        await _step(lambda: not pane.display)  # it is being removed
        left = pane.state
        app.fake.become(EngineState.STARTING)
        app.fake.become(EngineState.READY)
        app.fake.release()
        await settled(pilot)
        assert pane.state is left
    assert app.crash is None


KEYS = ("f", "enter", "up", "1", "right", "n", "escape", "s", "y", "up", "w", "x", "escape")


@pytest.mark.parametrize("ticks", [0, 1, 2, 3, 5, 8])
async def test_random_keys_in_a_tiny_stepper_and_leaving(tmp_path: Path, ticks: int) -> None:
    """Replay keys that have crashed the app, with answers at different moments."""
    app = whole_app(tmp_path, FakeEngine())
    async with app.run_test(size=(20, 10)) as pilot:
        await until(pilot, lambda: app.model_status.ready)
        for _ in range(2):
            app.navigator.open_place("step")
            await settle(pilot)
            await _press_quickly(pilot, ticks, *KEYS, "escape", "escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
    assert app.crash is None


async def _press_quickly(pilot: Pilot[Any], ticks: int, *pressed: str) -> None:
    for key in pressed:
        pilot.app.post_message(event_of(key))
        for _ in range(ticks):
            await asyncio.sleep(0)


async def _step(condition: Callable[[], bool]) -> None:
    """Let the app do one small step at a time until `condition` holds."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("the condition never held")
