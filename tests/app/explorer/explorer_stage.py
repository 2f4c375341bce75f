"""An app with nothing in it but the screen under test, and a look at what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import tutor.app
from tests.app.pressing import settle, tap
from tests.engine.fake_engine import FakeEngine
from tutor.app.app import TutorApp
from tutor.app.base_screen import TutorScreen
from tutor.app.model.status import ModelStatus
from tutor.course.catalogue import Course
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.events import Ready
    from textual.pilot import Pilot
    from textual.screen import Screen

    from tutor.engine.api import Engine
    from tutor.learner.background import BackgroundProgress


class Stage(TutorApp):
    """Opens one screen over an empty one; `make` is given the engine and the progress."""

    CSS_PATH = str(Path(tutor.app.__file__).with_name("main.tcss"))

    def __init__(
        self,
        make: Callable[[Engine, BackgroundProgress], Screen[None]],
        *,
        folder: Path,
        engine: FakeEngine | None = None,
    ) -> None:
        self.fake = engine or FakeEngine()
        plain = self.fake
        super().__init__(Course(lessons=()), Progress.open(folder), plain)
        self._make = make

    def get_default_screen(self) -> Screen[None]:
        return TutorScreen()

    def on_mount(self) -> None:
        self.push_screen(self._make(self.engine, self.progress))

    def _on_ready(self, event: Ready) -> None:
        """The fake engine is as ready as the test wants it."""
        event.prevent_default()
        self.model_status = ModelStatus(phase="ready", model=self.fake.model)


def lines(app: TutorApp) -> list[str]:
    """The screen as text, without trailing spaces."""
    screen = app.screen
    strips = screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def shown(app: TutorApp) -> str:
    return "\n".join(lines(app))


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until everything that was asked is answered and painted."""
    await settle(pilot)
    while any(not worker.is_finished for worker in pilot.app.workers):
        await settle(pilot)
    await settle(pilot)


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys one after the other, each when the one before has had its effect."""
    for key in keys:
        await tap(pilot, key)
        await settled(pilot)
