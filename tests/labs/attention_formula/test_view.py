"""Test the lab on the attention formula through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, lab_app, seen, state_of
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", SIZES)
def test_how_the_sum_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *["right"] * 4, "down")

    assert snap_compare(lab_app("attention-formula", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_how_each_step_looks(steps: int, snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *["right"] * steps, "down")

    app = lab_app("attention-formula", tmp_path)
    assert snap_compare(app, terminal_size=(80, 24), run_before=run)


async def test_the_arrows_go_through_the_steps(tmp_path: Path) -> None:
    app = lab_app("attention-formula", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "right", "right", "left")
        assert "›2 ÷√size" in seen(pilot)
        await do(pilot, "right", "right", "right")
        assert "numbers agree within" in seen(pilot)


async def test_the_screen_says_which_step_is_left_out(tmp_path: Path) -> None:
    app = lab_app("attention-formula", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "o", "m", *["right"] * 4)
        assert "2 ÷√size off" in seen(pilot)
        assert "3 mask off" in seen(pilot)
        assert "you left out a step" in seen(pilot)


async def test_keys_choose_the_layer_head_and_query(tmp_path: Path) -> None:
    app = lab_app("attention-formula", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "k", "h", "p")
        state = state_of(pilot)
        assert f"layer {state.layer + 1:>2} of 6  head {state.head + 1:>2} of 4" in seen(pilot)
        assert (state.layer, state.head) == (4, 2)
