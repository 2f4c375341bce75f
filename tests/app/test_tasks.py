"""Test that tasks begin in the same way on every version of Python."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from tests.app.whole_app import until
from tests.labs.lab_stage import at_rest, lab_app, state_of
from tutor.app.labs.screen import LabScreen

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.app.app import TutorApp


async def test_no_task_begins_before_it_is_stored(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coroutine, **options: asyncio.Task(coroutine, loop=loop))
    async with lab_app("mask", tmp_path).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, LabScreen))
        assert loop.get_task_factory() is None


def test_a_lab_is_at_rest_after_an_answer_that_needs_no_waiting(tmp_path: Path) -> None:
    """`App.run` makes tasks run at once where Python can; `App.run_test` does not."""
    seen: list[Any] = []

    async def look(pilot: Pilot[object]) -> None:
        await at_rest(pilot)
        seen.append(state_of(pilot).readings)
        cast("TutorApp", pilot.app).exit()

    lab_app("mask", tmp_path).run(headless=True, size=(80, 24), auto_pilot=look)
    assert len(seen[0]) == 1
