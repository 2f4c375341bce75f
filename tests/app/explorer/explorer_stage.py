"""An app with only the screen under test, and helpers that read what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.app.pressing import settle, tap
from tests.engine.fake_engine import FakeEngine
from tutor.app.app import TutorApp
from tutor.app.background.status import ModelStatus
from tutor.app.base_screen import TutorScreen
from tutor.course.catalogue import Course
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.pilot import Pilot
    from textual.screen import Screen

    from tutor.engine.api import Engine
    from tutor.learner.background import BackgroundProgress


class Stage(TutorApp):
    """An app that opens one screen over an empty one.

    `make` creates it from the engine and the progress.
    """

    CSS_PATH = "../../../tutor/app/main.tcss"

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

    def begin(self) -> None:
        """Start nothing: the fake engine is in the state that the test wants."""
        self.model_status = ModelStatus(phase="ready", model=self.fake.model)


def lines(app: App[Any]) -> list[str]:
    """Return the lines of the screen, without trailing spaces."""
    screen = app.screen
    strips = screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def shown(app: App[Any]) -> str:
    return "\n".join(lines(app))


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until every request is answered and drawn."""
    await settle(pilot)
    while any(not worker.is_finished for worker in pilot.app.workers):
        await settle(pilot)
    await settle(pilot)


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys one after the other, each after the previous key has had its effect."""
    for key in keys:
        await tap(pilot, key)
        await settled(pilot)
