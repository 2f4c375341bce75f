"""The screen of a lab on the small bundled model, which runs in the test's process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from tests.app.explorer.explorer_stage import lines
from tests.app.pressing import settle, tap
from tests.app.whole_app import until, whole_app
from tests.engine.fake_engine import FakeEngine
from tests.labs.lab_backend import small_model
from tests.sample_course import COURSE
from tutor.app.labs.screen import LabScreen
from tutor.app.widgets.lines import Lines
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.engine.backends import LabBackends
from tutor.engine.requests import expect
from tutor.engine.wire import AskLab
from tutor.labs.kit import registry
from tutor.labs.kit.backend import Backend, Tools, make_backend
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.permissions import Permissions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.app.app import TutorApp
    from tutor.course.catalogue import Course
    from tutor.engine.requests import AnswerKind
    from tutor.engine.wire import Request
    from tutor.labs.kit.registry import AnyLab


class BackendEngine(FakeEngine):
    """An engine that answers requests from labs in the test's process."""

    def __init__(self, make: Callable[[str, Tools], Backend] = make_backend) -> None:
        super().__init__()
        self._permissions = Permissions()
        self._backends = LabBackends(small_model, lambda: None, self._permissions, make=make)

    def allow(self, model: RemoteModel) -> None:
        super().allow(model)
        self._permissions.allow(model.host)

    def discard(self, name: str) -> None:
        self._backends.close(name)

    async def ask(
        self, expected: type[AnswerKind], request: Callable[[int], Request]
    ) -> AnswerKind:
        asked = request(1)
        await self.work(type(asked).__name__)
        assert isinstance(asked, AskLab)
        return expect(expected, self._backends.on_question(asked))


def lab_app(
    lab: str | AnyLab, folder: Path, engine: BackendEngine | None = None, course: Course = COURSE
) -> TutorApp:
    """Return the whole app with a lab open on top of the course map."""
    opened = registry.find(lab) if isinstance(lab, str) else lab

    def find(name: str) -> AnyLab:
        return opened if name == opened.name else registry.find(name)

    engine = engine or BackendEngine()
    return whole_app(folder, engine, course, lab=opened.name, find_lab=find)


def impatient(name: str, tools: Tools) -> Backend:
    """Make a backend that answers after every step of long work."""
    return make_backend(name, replace(tools, moment=0.0))


def screen_of(pilot: Pilot[Any]) -> LabScreen:
    screen = cast("TutorApp", pilot.app).screen
    assert isinstance(screen, LabScreen)
    return screen


def editor(pilot: Pilot[Any]) -> PromptEditor:
    """Return the editor that has the focus."""
    focused = screen_of(pilot).focused
    assert isinstance(focused, PromptEditor)
    return focused


def state_of(pilot: Pilot[Any]) -> Any:
    return screen_of(pilot).state


async def at_rest(pilot: Pilot[Any]) -> None:
    """Wait until the lab is on the screen and all its requests are answered."""

    def rests() -> bool:
        screen = cast("TutorApp", pilot.app).screen
        return isinstance(screen, LabScreen) and screen.is_mounted and not screen.busy

    await until(pilot, rests)
    await settle(pilot)


async def do(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys, and wait after each until the lab is at rest."""
    await at_rest(pilot)
    for key in keys:
        await tap(pilot, key)
        await at_rest(pilot)


async def write(pilot: Pilot[Any], text: str, key: str = "e") -> None:
    """Replace the text in the field that `key` opens, and press Enter."""
    await do(pilot, key)
    editor(pilot).load(text)
    await do(pilot, "enter")


async def click_line(pilot: Pilot[Any], text: str, x: int) -> None:
    """Click column `x` of the view's line that begins with `text`, and wait until it is at rest."""
    view = pilot.app.screen.query_one("#lines", Lines)
    (y,) = (y for y, line in enumerate(view.plain) if line.startswith(text))
    await pilot.click(view, offset=(x, y))
    await at_rest(pilot)


def seen(pilot: Pilot[Any]) -> str:
    return "\n".join(lines(cast("TutorApp", pilot.app)))
