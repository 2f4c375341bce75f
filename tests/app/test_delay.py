"""Test calls after a delay, and that the product's own delays never depend on Textual's timers."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from textual import timer
from textual.app import App
from textual.widget import Widget

import tutor
from tests.app.pressing import settle
from tutor.app.delay import PunctualApp, call_after

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from textual.app import ComposeResult
    from textual.pilot import Pilot

LATE = 10.0


class Stopped:
    """A clock that shows a later minute each time, as if the machine stopped the process."""

    def __init__(self) -> None:
        self.now = 0.0

    def get_time(self) -> float:
        self.now += 60
        return self.now


class Alone(App[None]):
    def compose(self) -> ComposeResult:
        yield Widget()


async def heard(begin: Callable[[Widget, Callable[[], object]], object]) -> bool:
    """Return True if a call that `begin` asks for comes."""
    called = asyncio.Event()
    app = Alone()
    async with app.run_test() as pilot:
        begin(app.query_one(Widget), called.set)
        await settle(pilot)
        await asyncio.sleep(0.05)
        await settle(pilot)
        return called.is_set()


async def test_a_function_is_called_once_after_the_delay() -> None:
    calls: list[float] = []
    loop = asyncio.get_running_loop()
    app = Alone()
    async with app.run_test() as pilot:
        begun, called = loop.time(), asyncio.Event()

        def call() -> None:
            calls.append(loop.time())
            called.set()

        call_after(0.01, app.query_one(Widget), call)
        await asyncio.wait_for(called.wait(), LATE)
        await settle(pilot)
    assert len(calls) == 1
    assert calls[0] - begun >= 0.01


async def test_a_call_can_be_cancelled() -> None:
    assert not await heard(lambda node, called: call_after(0.01, node, called).cancel())


async def test_a_removed_widget_is_not_called() -> None:
    def removed(node: Widget, called: Callable[[], object]) -> None:
        call_after(0.01, node, called)
        node.remove()

    assert not await heard(removed)


async def test_a_resize_is_handled_although_its_timer_starts_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = PunctualApp()
    async with app.run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(timer, "_time", Stopped())
        for size in ((120, 40), (80, 24)):
            await pilot.resize_terminal(*size)
            await resized(pilot, size)


async def resized(pilot: Pilot[None], size: tuple[int, int]) -> None:
    async with asyncio.timeout(LATE):
        while pilot.app.screen.outer_size != size:
            await asyncio.sleep(0)


def test_nothing_waits_for_a_timer_of_textual() -> None:
    sources = sorted(Path(tutor.__file__).parent.rglob("*.py"))
    assert sources
    waits = re.compile(r"(?<!super\(\))\.set_timer\(")
    assert [str(path) for path in sources if waits.search(path.read_text("utf-8"))] == []
