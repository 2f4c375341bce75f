"""Runs the whole app on the sample course, in a temporary folder, with a predictable model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

from tests.app.explorer.explorer_stage import shown
from tests.app.pressing import settle, tap
from tests.engine.fake_engine import FakeEngine
from tests.sample_course import COURSE
from tutor.app.app import TutorApp
from tutor.learner.clock import Clock, now
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from tutor.allowed import Allowed
    from tutor.app.app import Patience, Start
    from tutor.app.background.keeper import Fetch
    from tutor.app.background.settings_keeper import SettingsKeeper
    from tutor.app.explorer.share.opening import Restored
    from tutor.app.terminal.idle import IdleLimit
    from tutor.course.catalogue import Course, Opening
    from tutor.labs.kit.registry import AnyLab
    from tutor.vendors.catalogue import RemoteModel

PATIENCE = 20.0


class Options(TypedDict, total=False):
    """Other parameters of the app."""

    opening: Opening
    allowed: Allowed
    idle: IdleLimit
    ascii_only: bool
    start: Start | Restored
    lab: str
    tour: bool
    remote: RemoteModel
    patience: Patience
    model_missing: Callable[[], bool]
    fetch: Fetch
    find_lab: Callable[[str], AnyLab]
    settings: SettingsKeeper


def whole_app(
    folder: Path,
    engine: FakeEngine | None = None,
    course: Course = COURSE,
    *,
    clock: Clock = now,
    lock_patience: float = 5.0,
    **options: Unpack[Options],
) -> TutorApp:
    asked = engine or FakeEngine()
    return TutorApp(course, Progress(folder, timeout=lock_patience, clock=clock), asked, **options)


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Let the app work until `condition` holds.

    Fail, and show the screen, when the app has ended or after `PATIENCE` seconds.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        app = cast("TutorApp", pilot.app)
        assert app.is_running, "the app has ended"
        assert time.monotonic() < deadline, f"the condition never held; the screen is\n{shown(app)}"
        await settle(pilot)


async def sees(pilot: Pilot[Any], text: str) -> None:
    """Wait until `text` is on the screen."""
    await until(pilot, lambda: text in shown(cast("TutorApp", pilot.app)))


async def keys(pilot: Pilot[Any], *pressed: str) -> None:
    await tap(pilot, *pressed)
