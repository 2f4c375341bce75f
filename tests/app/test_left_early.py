"""Test screens that are closed, with or without the app, while they wait for a result."""

from __future__ import annotations

import asyncio
import gc
import random
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from textual.content import Content
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.widget import MountError
from textual.worker import WorkerFailed

from tests.app.explorer.explorer_stage import Stage, settled
from tests.app.pressing import event_of, settle
from tests.app.whole_app import keys, sees, until, whole_app
from tests.engine.fake_engine import FakeEngine
from tests.later import later
from tests.sample_course import SlowCourse
from tutor.app.base_screen import TutorScreen
from tutor.app.course_screen import MenuScreen
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.explorer.text_view import TextView
from tutor.app.reader.finder import SearchScreen
from tutor.app.terminal.crash import record_of
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.static import Static
from tutor.engine.api import EngineState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.pilot import Pilot

    from tutor.app.app import TutorApp


async def test_a_search_that_ends_after_its_screen_was_closed_does_no_harm(tmp_path: Path) -> None:
    course = SlowCourse()
    app = whole_app(tmp_path, course=course)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin")
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen))
        await pilot.press("t")
        await until(pilot, course.begun.is_set)
        await pilot.press("escape")
        await sees(pilot, "› Begin")
        course.go_on.set()
        await keys(pilot, "v")
        await sees(pilot, "glossary")
    assert app.crash is None


async def test_a_missing_widget_is_a_bug(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    with pytest.raises(NoMatches):  # noqa: PT012  (it is raised at the end)
        async with app.run_test(size=(80, 24)) as pilot:
            await sees(pilot, "› Begin")
            app._handle_exception(NoMatches("nothing"))
    assert isinstance(app.crash, NoMatches)


async def test_a_bug_in_a_worker_is_reported_with_its_own_traceback(tmp_path: Path) -> None:
    async def fail() -> None:
        raise KeyError("a bug")

    app = whole_app(tmp_path)
    with pytest.raises(WorkerFailed):  # noqa: PT012  (it is raised at the end)
        async with app.run_test(size=(80, 24)) as pilot:
            await sees(pilot, "› Begin")
            app.run_worker(fail())
            await until(pilot, lambda: app.crash is not None)
    assert app.crash is not None
    assert "raise KeyError" in record_of(app.crash)


@pytest.mark.parametrize("error", [NoMatches("nothing"), MountError("too late"), NoScreen("gone")])
async def test_a_missing_widget_while_the_program_ends_is_ignored(
    tmp_path: Path, error: Exception
) -> None:
    """A handler may continue after the app was told to exit, which then adds no widgets."""
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin")
        app.exit()
        app._handle_exception(error)
    assert app.crash is None


def errors_of(app: TutorApp) -> list[Exception]:
    """Return a list to which all errors of handlers are added, also those that the app ignores."""
    errors: list[Exception] = []
    app._handle_exception = errors.append  # type: ignore[method-assign,assignment]
    return errors


@pytest.mark.parametrize("ticks", [0, 2, *later([1, 3])])
async def test_a_screen_that_is_left_at_once_has_widgets_until_then(
    tmp_path: Path, ticks: int
) -> None:
    app = Stage(ExplorerScreen, folder=tmp_path)
    errors = errors_of(app)
    async with app.run_test(size=(20, 10)) as pilot:
        await settled(pilot)
        for _ in range(5):
            app.push_screen(ExplorerScreen(app.fake, app.progress))
            for _ in range(ticks):
                await asyncio.sleep(0)
            app.pop_screen()
        await settled(pilot)
    assert errors == []


async def test_nothing_is_drawn_in_a_pane_that_is_being_removed(tmp_path: Path) -> None:
    app = Stage(ExplorerScreen, folder=tmp_path)
    errors = errors_of(app)
    async with app.run_test(size=(20, 10)) as pilot:
        await settled(pilot)
        pane = app.screen.query_one(ExplorerPane)
        pane.stop_receiving()
        await pane.query_one(TextView).remove()
        pane._draw(pane.state)
        pane.say("a late message")
        await settled(pilot)
    assert errors == []


async def test_quitting_twice_warns_of_nothing(tmp_path: Path) -> None:
    """Python prints a warning on the terminal for each coroutine that was never started."""
    app = whole_app(tmp_path)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        async with app.run_test(size=(80, 24)) as pilot:
            await sees(pilot, "› Begin")
            await _press_quickly(pilot, 0, "ctrl+q", "ctrl+q", "ctrl+q")
            await _step(lambda: not app.is_running)
        gc.collect()
    assert [str(each.message) for each in found if "never awaited" in str(each.message)] == []


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
        await sees(pilot, "› Begin")
        screen = Waiting()
        app.push_screen(screen)
        await settle(pilot)
        app.post_message(event_of("escape"))
        await _step(lambda: not screen.query("#result"))
        if not screen.result.done():
            screen.result.set_result("late")
        await sees(pilot, "› Begin")
    assert app.crash is None


async def test_a_worker_that_a_leaving_screen_starts_does_no_harm(tmp_path: Path) -> None:
    """A screen that is being removed still handles the keys that arrived before its removal.

    Such a key may start a worker after the workers of the screen have been canceled.
    """
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin")
        screen = Waiting()
        app.push_screen(screen)
        await settle(pilot)
        app.post_message(event_of("escape"))
        await _step(lambda: screen._pruning)
        screen.result = asyncio.get_running_loop().create_future()
        screen.run_worker(screen._wait())
        await _step(lambda: not screen.query("#result"))
        screen.result.set_result("late")
        await sees(pilot, "› Begin")
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


@pytest.mark.parametrize("ticks", [1, *later([0, 2, 3, 5, 8])])
async def test_random_keys_in_a_tiny_stepper_and_leaving(tmp_path: Path, ticks: int) -> None:
    """Replay keys that have crashed the app, with answers at different moments."""
    app = whole_app(tmp_path, FakeEngine())
    async with app.run_test(size=(20, 10)) as pilot:
        await until(pilot, lambda: app.model_status.ready)
        for _ in range(2):
            app.navigator.open_place("step")
            await settle(pilot)
            await _press_quickly(pilot, ticks, *KEYS, "escape", "escape")
            await settle(pilot)
            for _ in app.screen_stack[1:]:  # the x-ray may have opened in between
                await keys(pilot, "escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
    assert app.crash is None


PRESSED = (
    *("f", "enter", "up", "down", "left", "right", "1", "2", "n", "p", "escape", "s", "y", "w"),
    *("x", "e", "r", "u", "d", "c", "t", "m", "a", "b", "o", "i", "slash", "equals_sign", "tab"),
    *("space", "shift+tab", "0", "U", "g", "question_mark", "backspace", "h", "k", "v", "comma"),
)


@pytest.mark.parametrize("seed", [2, 18])
async def test_random_keys_and_answers_at_any_moment(tmp_path: Path, seed: int) -> None:
    """Press any keys in the stepper, the chat and the guessing game, and leave them at once.

    Answers are held back and released at random. No handler of any screen may fail.
    """
    chance, engine = random.Random(seed), FakeEngine()
    app = whole_app(tmp_path, engine)
    errors = errors_of(app)
    async with app.run_test(size=chance.choice(((20, 10), (40, 12), (80, 24)))) as pilot:
        await until(pilot, lambda: app.model_status.ready)
        for _ in range(3):
            app.navigator.open_place(chance.choice(("step", "chat", "guess")))
            for _ in range(chance.randint(2, 20)):
                chance.choice((engine.hold, engine.release, engine.release))()
                await _press_quickly(pilot, chance.choice((0, 1, 5, 50)), chance.choice(PRESSED))
            while len(app.screen_stack) > 1 and not errors:
                await _press_quickly(pilot, chance.choice((0, 1, 50)), "escape")
            engine.release()
            assert errors == []
        await settle(pilot)
    assert errors == []


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


class Later(TutorScreen):
    """A screen that is left at once, and that uses its widgets after its first refresh."""

    def compose_content(self) -> ComposeResult:
        yield Static(id="result")

    def on_mount(self) -> None:
        self.call_after_refresh(self._show)
        self.app.pop_screen()

    def _show(self) -> None:
        self.query_one("#result", Static).update("late")


async def test_a_screen_that_was_removed_does_nothing_after_the_next_refresh(
    tmp_path: Path,
) -> None:
    """Textual lets the screen on top make the call, which comes after its own refresh."""
    app = whole_app(tmp_path)
    errors = errors_of(app)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin")
        screen, removed = Later(), asyncio.Event()
        app.screen.call_later(removed.wait)  # until then, the screen on top is busy
        app.push_screen(screen)
        await _step(lambda: screen._is_mounted and screen._parent is None)
        removed.set()
        await settle(pilot)
    assert errors == []


class Shrinking(MenuScreen):
    """A list from which each chosen entry is removed."""

    def __init__(self, app: TutorApp) -> None:
        super().__init__(app.services, app.navigator)
        self.left = [0, 1]

    def compose_content(self) -> ComposeResult:
        yield Menu()

    def fill(self) -> None:
        self.show_entries(
            [(lambda _: Content("entry"), partial(self._remove, each)) for each in self.left]
        )

    def _remove(self, number: int) -> None:
        self.left.remove(number)
        self.fill()


async def test_an_entry_that_was_chosen_twice_may_be_gone(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin")
        screen = Shrinking(app)
        app.push_screen(screen)
        await settle(pilot)
        await _press_quickly(pilot, 0, "down", "enter", "enter", "enter")
        await until(pilot, lambda: screen.left == [0])
    assert app.crash is None
