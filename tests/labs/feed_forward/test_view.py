"""Test the lab on neurons through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.app.pressing import tap
from tests.app.whole_app import until
from tests.labs.lab_stage import BackendEngine, do, lab_app, seen, state_of
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "right", "down", "enter")

    assert snap_compare(lab_app("feed-forward", tmp_path), terminal_size=size, run_before=run)


async def test_enter_switches_the_neuron_off_and_z_all_on(tmp_path: Path) -> None:
    app = lab_app("feed-forward", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "all neurons on, changed by 0.000 bits" in seen(pilot)
        await do(pilot, "down", "enter")
        state = state_of(pilot)
        assert state.off == (state.neuron,)
        assert f"1 off, changed by {state.prediction.divergence:.3f} bits" in seen(pilot)
        await do(pilot, "right", "left", "z")
        assert state_of(pilot).off == ()
        assert (state_of(pilot).block, state_of(pilot).row) == (0, 0)


async def test_blocks_can_be_passed_before_their_neurons_are_there(tmp_path: Path) -> None:
    engine = BackendEngine()
    app = lab_app("feed-forward", tmp_path, engine)
    engine.hold()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "processing" in seen(pilot))
        await tap(pilot, "right", "right")
        assert state_of(pilot).block == 2
        engine.release()
        await until(pilot, lambda: state_of(pilot).shown is not None)
        engine.hold()
        await tap(pilot, "right", "right", "left")
        assert state_of(pilot).block == 3
        engine.release()
        await until(pilot, lambda: state_of(pilot).shown is not None)
        assert set(state_of(pilot).known) == {2, 3}
