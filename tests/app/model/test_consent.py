"""Test the screen that asks for consent before anything leaves the machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.screen import Screen

from tests.app.explorer.explorer_stage import Stage, shown
from tests.app.whole_app import until
from tests.engine.fake_engine import FakeEngine
from tutor.app.base_screen import TutorScreen
from tutor.app.model.consent import ConsentScreen
from tutor.vendors.catalogue import RemoteModel, remote_model

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    Snap = Callable[..., bool]

KEY = "sk-0123456789abcdef-THE-SECRET"
WHAT = "Your message to all models"
REMOTE = remote_model("openai:big", "http://cluster.school.example:8000/v1")


class Asking(Stage):
    """An app that asks for consent to each of `models` in turn, and keeps the `answers`."""

    def __init__(self, folder: Path, *models: RemoteModel) -> None:
        super().__init__(lambda engine, progress: TutorScreen(), folder=folder)
        self._models = models
        self.answers: list[bool] = []

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._ask())

    async def _ask(self) -> None:
        for model in self._models:
            self.answers.append(await self.services.agreed(model, WHAT))


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "TUTOR_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def asking(screen: Screen[Any]) -> bool:
    return isinstance(screen, ConsentScreen)


async def test_yes_is_remembered_for_the_host(tmp_path: Path) -> None:
    app = Asking(tmp_path, remote_model("claude:"), remote_model("claude:another"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: asking(app.screen))
        said = " ".join(shown(app).split())
        for part in ("Claude", "api.anthropic.com", WHAT, "the key in ANTHROPIC_API_KEY"):
            assert part in said
        assert KEY not in said
        assert app.fake.hosts == []
        await pilot.press("y")
        await until(pilot, lambda: app.answers == [True, True])
        assert not asking(app.screen)
        assert set(app.fake.hosts) == {"api.anthropic.com"}


@pytest.mark.parametrize("way", ["escape", "away"])
async def test_without_consent_nothing_is_sent_and_tutor_can_ask_again(
    tmp_path: Path, way: str
) -> None:
    app = Asking(tmp_path, remote_model("claude:"), remote_model("claude:"))
    async with app.run_test(size=(80, 24)) as pilot:
        for count in (1, 2):
            await until(pilot, lambda: asking(app.screen))
            if way == "escape":
                await pilot.press("escape")
            else:
                app.pop_screen()
            await until(pilot, lambda count=count: len(app.answers) == count)  # type: ignore[misc]
        assert app.answers == [False, False]
        assert app.fake.hosts == []


async def test_a_server_on_this_machine_needs_no_consent(tmp_path: Path) -> None:
    app = Asking(tmp_path, remote_model("openai:tiny", "http://127.0.0.1:8000/v1"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.answers == [True])
        assert not asking(app.screen)


async def test_a_connection_without_encryption_is_reported(tmp_path: Path) -> None:
    app = Asking(tmp_path, REMOTE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: asking(app.screen))
        assert "not encrypted" in shown(app)
        assert "tutor does not know the price" in shown(app)
        await pilot.press("escape")


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (120, 30)])
def test_how_it_looks(
    snap_compare: Snap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    app = Asking(tmp_path, remote_model("claude:") if size[0] != 120 else REMOTE)

    async def asked(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: asking(app.screen))
        await pilot.pause()

    before: Callable[[Pilot[Any]], Awaitable[None]] = asked
    assert snap_compare(app, terminal_size=size, run_before=before)


def test_the_fake_engine_stores_consent() -> None:
    engine = FakeEngine()
    assert not engine.allowed(REMOTE)
    engine.allow(REMOTE)
    assert engine.allowed(REMOTE)
