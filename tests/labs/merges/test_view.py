"""Test the merge player through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, lab_app, seen, state_of, write
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "right", "right", "right")

    assert snap_compare(lab_app("merges", tmp_path), terminal_size=size, run_before=run)


async def test_it_is_played_to_its_end_and_back(tmp_path: Path) -> None:
    async with lab_app("merges", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "right", "left", "left")
        assert state_of(pilot).at == 0
        assert "12 tokens" in seen(pilot)
        await do(pilot, "enter")
        assert "no merges left" in seen(pilot)
        await do(pilot, "z")
        assert state_of(pilot).at == 0


async def test_the_screen_says_that_no_merge_joins_a_text(tmp_path: Path) -> None:
    app = lab_app("merges", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, "qxzj")
        assert "No merge joins any of these bytes" in seen(pilot)
        await do(pilot, "g")
        assert "✓ Write four or more letters that no merge joins" in seen(pilot)
