"""Test the positions lab through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, lab_app, seen, state_of
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "m", "w")

    assert snap_compare(lab_app("positions", tmp_path), terminal_size=size, run_before=run)


async def test_each_key_changes_its_setting(tmp_path: Path) -> None:
    app = lab_app("positions", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "right", "right")
        assert "first position 10" in seen(pilot)
        await do(pilot, "w")
        assert "shuffled, seed 1" in seen(pilot)
        await do(pilot, "s")
        assert "shuffled, seed 2" in seen(pilot)
        await do(pilot, "m")
        assert "RoPE off" in seen(pilot)
        assert f"{state_of(pilot).result.order_divergence:.3f} bits" in seen(pilot)
        await do(pilot, "z")
        state = state_of(pilot)
        assert (state.shift, state.shuffled, state.rotary) == (0, False, True)
