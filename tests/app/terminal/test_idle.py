"""Test the idle limit with a simulated clock, and the screen that warns of the limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.home.screen import HomeScreen
from tutor.app.terminal.idle import IdleLimit, IdleScreen, in_words
from tutor.app.terminal.remote_terminal import RemoteTerminal


class Clock:
    """A clock that advances only by sleeping. A key is pressed at the seconds in `presses`."""

    def __init__(self, *presses: float) -> None:
        self.now = 0.0
        self.warned: list[float] = []
        self._presses = list(presses)

    def __call__(self) -> float:
        return self.now

    def until_over(self, seconds: float) -> IdleLimit:
        self.limit = IdleLimit(seconds, self, self.sleep)
        self.limit.watch(lambda: self.warned.append(self.now))
        return self.limit

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        end = self.now + seconds
        while self._presses and self._presses[0] <= end:
            self.now = self._presses.pop(0)
            self.limit.pressed()
        self.now = end


@pytest.mark.parametrize(
    ("seconds", "presses", "warned", "over"),
    [
        (1800, (), [1740], 1800),
        (1800, (100, 1000), [2740], 2800),
        (1800, (1750,), [1740, 3490], 3550),  # any key keeps the session open
        (1800, (1739.5, 1799.5, 3539), [3539 + 1740], 3539 + 1800),
        (60, (), [30], 60),  # half of a short limit
    ],
)
def test_it_warns_ahead_and_ends_on_time(
    seconds: float, presses: tuple[float, ...], warned: list[float], over: float
) -> None:
    clock = Clock(*presses)
    limit = clock.until_over(seconds)
    assert (clock.warned, clock.now, limit.over) == (warned, over, True)


@pytest.mark.parametrize(
    ("read_at", "back_at", "warned", "over"),
    [
        ([1000.0, 1700.0], 1735.0, [1735 + 1740], 1735 + 1800),  # a short time in the editor
        ([1000.0, 2780.0], 4000.0, [2740.0, 5740.0], 5800.0),  # a pause and then a key in it
        ([1000.0], 9000.0, [2740.0], 2800.0),  # a long pause in it
    ],
)
def test_keys_in_an_editor_count(
    read_at: list[float], back_at: float, warned: list[float], over: float
) -> None:
    clock = Clock()
    limit = IdleLimit(1800, clock, clock.sleep)
    clock.limit = limit

    def in_editor() -> float | None:
        if clock.now >= back_at:
            return clock.now - back_at
        return clock.now - max((each for each in read_at if each <= clock.now), default=0.0)

    limit.watch(lambda: clock.warned.append(clock.now), in_editor)
    assert (clock.warned, clock.now, limit.over) == (warned, over, True)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1800, "30 minutes"), (60, "1 minute"), (90, "90 seconds"), (1, "1 second"), (3, "3 seconds")],
)
def test_times_in_words(seconds: float, said: str) -> None:
    assert in_words(seconds) == said


@pytest.mark.parametrize(
    ("key", "size"),
    [("q", (80, 24)), ("ctrl+c", (80, 24)), ("escape", (40, 12)), ("v", (40, 12))],
)
async def test_any_key_keeps_the_session_open_and_does_nothing_else(
    tmp_path: Path, key: str, size: tuple[int, int]
) -> None:
    clock = Clock()
    app = whole_app(tmp_path, idle=IdleLimit(1800, clock, clock.sleep))
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Begin")
        before = shown(app)
        clock.now = 1740
        app.ask_whether_there()
        app.ask_whether_there()
        await sees(pilot, "any key stay")
        assert "In 1 minute, tutor will" in " ".join(shown(app).split())
        assert "quit" not in shown(app)
        await keys(pilot, key)
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await until(pilot, lambda: shown(app) == before)


async def test_keys_and_pastes_restart_the_limit(tmp_path: Path) -> None:
    from textual.events import Paste

    clock = Clock()
    app = whole_app(tmp_path, idle=IdleLimit(100, clock, clock.sleep))
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        assert app.idle is not None
        clock.now = 60
        await keys(pilot, "down")
        clock.now = 120
        app.post_message(Paste("text"))
        await pilot.pause()
        clock.now = 170
        app.ask_whether_there()
        await until(pilot, lambda: isinstance(app.screen, IdleScreen))
        app.post_message(Paste("text"))
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        clock.now = 219
        app.idle.watch(lambda: None)
        assert clock.now == 270


async def test_a_warning_that_comes_after_a_key_is_not_shown(tmp_path: Path) -> None:
    clock = Clock()
    app = whole_app(tmp_path, idle=IdleLimit(1800, clock, clock.sleep))
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        clock.now = 1740
        await keys(pilot, "down")  # the warning is on its way
        app.ask_whether_there()
        await pilot.pause()
        assert isinstance(app.screen, HomeScreen)


async def test_a_warning_below_another_screen_disappears_with_a_key(tmp_path: Path) -> None:
    clock = Clock()
    app = whole_app(tmp_path, idle=IdleLimit(1800, clock, clock.sleep))
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        clock.now = 1740
        app.ask_whether_there()
        await until(pilot, lambda: isinstance(app.screen, IdleScreen))
        app.navigator.open_place("glossary")  # such as a screen that waited for the disk
        await sees(pilot, "glossary")
        await keys(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_a_warning_during_an_external_edit_is_gone_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    app = whole_app(tmp_path, idle=IdleLimit(1800, clock, clock.sleep))

    async def edited(_: RemoteTerminal, text: str, __: int) -> str:
        clock.now += 1740
        app.ask_whether_there()
        await until(pilot, lambda: isinstance(app.screen, IdleScreen))
        return text + " edited"

    monkeypatch.setattr(RemoteTerminal, "edited_outside", edited)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "s")
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        screen = app.screen
        await keys(pilot, "e", "ctrl+g")
        await sees(pilot, " edited")
        assert app.screen is screen
        assert app.idle is not None
        app.idle.watch(lambda: None)
        assert clock.now == 1740 + 1800
