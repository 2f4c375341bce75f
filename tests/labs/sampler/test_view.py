"""Test the sampler workbench through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, editor, lab_app, seen, state_of
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path

TURNED = ("down", "right", "right", "down", "right", "right", "right", "down", "right", "right")


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *TURNED)

    assert snap_compare(lab_app("sampler", tmp_path), terminal_size=size, run_before=run)


async def test_a_step_is_adjusted_moved_and_reset(tmp_path: Path) -> None:
    async with lab_app("sampler", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "down", "down", "right")
        assert state_of(pilot).dials.top_k == 1
        assert "× " in seen(pilot)
        await do(pilot, "k")
        assert state_of(pilot).order[1] == "top-k"
        await do(pilot, "z")
        assert state_of(pilot).dials == type(state_of(pilot).dials)()
        assert state_of(pilot).order[2] == "top-k"


async def test_the_text_can_be_edited(tmp_path: Path) -> None:
    app = lab_app("sampler", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        editor(pilot).load("The capital of France is")
        await do(pilot, "enter")
        assert "␣Paris" in seen(pilot)
