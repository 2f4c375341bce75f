"""The whole app on the sample course, a temporary folder and a model that can be predicted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tests.app.explorer.explorer_stage import shown
from tests.engine.fake_engine import FakeEngine
from tests.sample_course import COURSE
from tutor.allowed import EVERYTHING, Allowed
from tutor.app.app import TutorApp
from tutor.learner.clock import Clock, now
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from tutor.app.terminal.idle import IdleLimit
    from tutor.course.catalogue import Course, Opening
    from tutor.engine.client import Engine


PATIENCE = 20.0


def whole_app(
    folder: Path,
    engine: FakeEngine | None = None,
    course: Course = COURSE,
    opening: Opening | None = None,
    clock: Clock = now,
    allowed: Allowed = EVERYTHING,
    idle: IdleLimit | None = None,
    lock_patience: float = 5.0,
) -> TutorApp:
    heard = cast("Engine", engine or FakeEngine())
    progress = Progress(folder, timeout=lock_patience, clock=clock)
    return TutorApp(course, progress, heard, opening=opening, allowed=allowed, idle=idle)


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Let the app work until `condition` holds. Fails when the app has ended, or after
    `PATIENCE` seconds, and shows the screen."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        app = cast("TutorApp", pilot.app)
        assert app.is_running, "the app has ended"
        assert time.monotonic() < deadline, f"it never came; the screen is\n{shown(app)}"
        await pilot.pause()


async def sees(pilot: Pilot[Any], text: str) -> None:
    """Wait until `text` stands on the screen."""
    await until(pilot, lambda: text in shown(cast("TutorApp", pilot.app)))


async def keys(pilot: Pilot[Any], *pressed: str) -> None:
    for key in pressed:
        await pilot.press(key)
        await pilot.pause()
