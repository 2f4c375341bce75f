"""Test the keys and the pictures of the training lab."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.whole_app import until
from tests.labs.lab_stage import at_rest, do, lab_app, seen, state_of
from tests.later import SIZES
from tutor.labs.kit.runner import Left
from tutor.labs.training.lab import FIRST_RATE, RATES, State
from tutor.lm.training.history import Measured, Point

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.app import TutorApp


def as_after(steps: int, **changes: Any) -> State:
    """Return a made-up training, since real ones differ by machine and with the lessons."""
    losses = {step: 1.7 + 3.8 * math.exp(-step / 120) for step in range(0, steps + 1, 10)}
    texts = (b"xk \xff\x00q", b"the\nmod an thes", b"model is the tox", b"model gives each")
    measured = [
        Measured(step, losses[step] + step / 4000, texts[min(step // 100, 3)])
        for step in range(0, steps + 1, 100)
    ]
    return State(
        done=steps,
        until=500,
        points=tuple(Point(s, loss, 0.002, True, False) for s, loss in losses.items() if s),
        measured=tuple(measured),
        owed=(),
        **changes,
    )


def opened(folder: Path, state: State) -> TutorApp:
    app = lab_app("training", folder)
    app.navigator.labs.left["training"] = Left(state, None)
    return app


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    app = opened(tmp_path, as_after(430, saved=400))
    assert snap_compare(app, terminal_size=size, run_before=at_rest)


@pytest.mark.parametrize(
    "changes",
    [{"mask": False, "shuffled": True, "rate": 8}, {"sure": True}, {"lost": 12}, {"found": 300}],
    ids=["broken", "sure", "lost", "found"],
)
def test_how_settings_and_notes_look(changes: Any, snap_compare: Any, tmp_path: Path) -> None:
    app = opened(tmp_path, as_after(300, **changes))
    assert snap_compare(app, terminal_size=(80, 24), run_before=at_rest)


def test_how_it_looks_before_the_first_step(snap_compare: Any, tmp_path: Path) -> None:
    assert snap_compare(
        opened(tmp_path, State(owed=())), terminal_size=(80, 24), run_before=at_rest
    )


async def test_it_trains_pauses_and_continues_in_the_next_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    async with lab_app("training", tmp_path / "one").run_test(size=(80, 24)) as pilot:
        await do(pilot)
        await pilot.press("r")
        await until(pilot, lambda: state_of(pilot).done > 0)
        await pilot.press("r")
        await at_rest(pilot)
        state = state_of(pilot)
        assert "paused" in seen(pilot)
        assert f"{state.measured[-1].loss:.2f}" in seen(pilot)
    async with lab_app("training", tmp_path / "two").run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert f"paused after step {state.done}" in seen(pilot)
        assert state_of(pilot).points == state.points


async def test_the_settings_are_changed_and_shown(tmp_path: Path) -> None:
    async with opened(tmp_path, State(owed=())).run_test(size=(80, 24)) as pilot:
        await do(pilot, "right", "m", "t")
        state = state_of(pilot)
        assert (state.mask, state.shuffled) == (False, True)
        assert f"learning rate {RATES[state.rate]}" in seen(pilot)
        assert "mask OFF" in seen(pilot)
        assert "SHUFFLED" in seen(pilot)


async def test_a_reset_has_to_be_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    async with opened(tmp_path, as_after(300)).run_test(size=(80, 24)) as pilot:
        await do(pilot, "right", "s", "z")
        assert state_of(pilot).saved is None  # s has nothing to do with saving
        assert "Press z again" in seen(pilot)
        assert state_of(pilot).done == 300
        await do(pilot, "z")
        assert (state_of(pilot).done, state_of(pilot).rate) == (0, FIRST_RATE)
        assert "u undo" not in seen(pilot)  # the networks are gone


async def test_saving_is_on_the_key_line_before_it_is_needed(tmp_path: Path) -> None:
    async with opened(tmp_path, as_after(300)).run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "ctrl+s save" in seen(pilot)
        assert "b restore" not in seen(pilot)
    async with opened(tmp_path, as_after(300, saved=300)).run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "b restore  m mask" in seen(pilot)
