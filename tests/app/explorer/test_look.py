"""Test the look of the explorer: one snapshot for each screen and state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.app.explorer.explorer_stage import Stage, press, settled
from tutor.app.explorer.guess.panel import GuessScreen
from tutor.app.explorer.screen import ExplorerScreen
from tutor.course.lesson import Lab

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

STEPPER = {
    "stepper": ("1", "1", "1", "enter"),
    "branches": ("1", "1", "1", "left", "left", "2", "1", "left", "3", "w", "up"),
    "sampler": ("1", "t", "left", "left", "left", "down", "down", "left", "left"),
    "search": ("1", "slash", "a"),
    "earlier": ("1", "1", "left", "left", "down"),
    "xray-attention": ("1", "1", "1", "1", "x", "right"),
    "xray-lens": ("1", "1", "1", "1", "x", "tab"),
    "xray-why": ("1", "x", "tab", "tab", "a", "down", "enter", "down"),
    "xray-map": ("1", "x", *["tab"] * 3),
    "xray-tokens": ("1", "x", *["tab"] * 4),
    "xray-heads": ("1", "1", "1", "1", "x", *["tab"] * 5),
    "xray-lens-map": ("1", "1", "1", "1", "x", *["tab"] * 6, "left"),
}


def typed(*keys: str) -> Callable[[Pilot[Any]], Any]:
    async def run(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await press(pilot, *keys)

    return run


@pytest.fixture(autouse=True)
def many_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("name", STEPPER)
def test_stepper(name: str, snap_compare: Any, tmp_path: Path) -> None:
    stage = Stage(ExplorerScreen, folder=tmp_path)
    assert snap_compare(stage, terminal_size=(80, 24), run_before=typed(*STEPPER[name]))


def test_stepper_on_a_small_terminal(snap_compare: Any, tmp_path: Path) -> None:
    stage = Stage(ExplorerScreen, folder=tmp_path)
    assert snap_compare(stage, terminal_size=(40, 12), run_before=typed("1", "1", "enter"))


def test_the_xray_on_a_small_terminal(snap_compare: Any, tmp_path: Path) -> None:
    stage = Stage(ExplorerScreen, folder=tmp_path)
    keys = ("1", "x", "tab", "tab", "down")
    assert snap_compare(stage, terminal_size=(40, 12), run_before=typed(*keys))


def test_guess(snap_compare: Any, tmp_path: Path) -> None:
    text = "The capital of France is Paris, and it is a city."
    lab = Lab(id="game", kind="guess", task="Guess on.", prompt=text)
    stage = Stage(
        lambda engine, progress: GuessScreen(engine, progress, lab, lesson=2), folder=tmp_path
    )
    assert snap_compare(stage, terminal_size=(80, 24), run_before=typed(*"German", "enter"))
