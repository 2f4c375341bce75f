"""Tests the residual stream lab through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, lab_app, seen, state_of

if TYPE_CHECKING:
    from pathlib import Path

SIZES = [(80, 24), (40, 12), (140, 40)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [["down"], ["tab", "down"]], ids=["length", "logit"])
def test_how_it_looks(
    keys: list[str], size: tuple[int, int], snap_compare: Any, tmp_path: Path
) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *keys)

    assert snap_compare(lab_app("residual", tmp_path), terminal_size=size, run_before=run)


async def test_the_arrows_choose_the_block_and_the_token(tmp_path: Path) -> None:
    app = lab_app("residual", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        last = state_of(pilot).position
        await do(pilot, "down", "left")
        assert (state_of(pilot).block, state_of(pilot).position) == (1, last - 1)
        assert "Block 2 takes the vector from length" in seen(pilot)
        await do(pilot, "tab")
        assert f"logit {state_of(pilot).shown.logit:.2f}" in seen(pilot)
        assert "strongest heads of block 2" in seen(pilot)
