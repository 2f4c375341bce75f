"""Test the mask lab through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, lab_app, seen, state_of, write
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", SIZES)
def test_how_both_look(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "m", "down", "down")

    assert snap_compare(lab_app("mask", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("keys", [["tab"], ["m", "tab"]], ids=["masked", "unmasked"])
def test_how_the_map_looks(keys: list[str], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *keys)

    assert snap_compare(lab_app("mask", tmp_path), terminal_size=(80, 24), run_before=run)


async def test_the_surprisal_with_and_without_the_mask_is_shown(tmp_path: Path) -> None:
    app = lab_app("mask", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "Press m to remove the mask." in seen(pilot)
        await do(pilot, "m")
        for reading in state_of(pilot).readings.values():
            assert f"{reading.mean_bits:.2f}" in seen(pilot)


async def test_a_changed_end_is_compared_with_the_text_before(tmp_path: Path) -> None:
    app = lab_app("mask", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "m")
        await write(pilot, "The dog did not cross the street because it was gone.")
        await do(pilot, "m")
        state = state_of(pilot)
        assert f"mask 0  no mask {state.moved(hide=False)}" in seen(pilot)
