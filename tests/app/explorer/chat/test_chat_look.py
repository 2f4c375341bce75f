"""Test the look of the chat: one snapshot for each state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.app.explorer.explorer_stage import Stage, press, settled
from tests.app.pressing import settle, tap
from tests.engine.fake_engine import CARD, FakeEngine
from tests.later import later
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.explorer.screen import ExplorerScreen

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

WRITTEN = 40
"""The number of tokens in an answer that is not finished yet."""


class PausingEngine(FakeEngine):
    """A model that does not end its answer, and computes no more than `WRITTEN` tokens of it."""

    left = WRITTEN

    async def work(self, name: str) -> None:
        if name == "distribution":
            self.left -= 1
            if self.left < 0:
                self.hold()
        await super().work(name)


@pytest.fixture(autouse=True)
def many_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


def stage(folder: Path, engine: FakeEngine | None = None) -> Stage:
    return Stage(
        lambda engine, progress: ExplorerScreen(engine, progress, mode="chat"),
        folder=folder,
        engine=engine,
    )


async def conversation(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await press(pilot, *"Hello", "enter", *"What is France?", "enter", "escape")


async def unfolded(pilot: Pilot[Any]) -> None:
    await conversation(pilot)
    await press(pilot, "left", "left", "d")


async def half_an_answer(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await tap(pilot, "escape", "i", "e", *"Hello", "enter")
    pane = pilot.app.screen.query_one(ExplorerPane)
    while pane.state.run_length < WRITTEN or pane._drawn is not pane.state:
        await settle(pilot)


def test_an_empty_chat(snap_compare: Any, tmp_path: Path) -> None:
    assert snap_compare(stage(tmp_path), terminal_size=(80, 24), run_before=settled)


def test_a_growing_answer(snap_compare: Any, tmp_path: Path) -> None:
    engine = PausingEngine(card=msgspec.structs.replace(CARD, end_ids=()))
    app = stage(tmp_path, engine)
    assert snap_compare(app, terminal_size=(80, 24), run_before=half_an_answer)


@pytest.mark.parametrize("size", [(80, 24), *later([(120, 40)])])
def test_the_distribution_of_a_token(
    snap_compare: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    assert snap_compare(stage(tmp_path), terminal_size=size, run_before=unfolded)


def test_a_chat_on_a_small_terminal(snap_compare: Any, tmp_path: Path) -> None:
    assert snap_compare(stage(tmp_path), terminal_size=(40, 12), run_before=conversation)
