"""Test the keys and the pictures of the one-step lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, lab_app, seen, state_of, write
from tutor.labs.one_step.lab import STAGES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("stage", range(len(STAGES)), ids=STAGES)
def test_how_each_stage_looks(stage: int, snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *("right",) * stage, "down", "down")

    assert snap_compare(lab_app("one-step", tmp_path), terminal_size=(80, 24), run_before=run)


@pytest.mark.parametrize("size", [(40, 12), (140, 40)])
@pytest.mark.parametrize("stage", ["compare", "move"])
def test_how_it_looks_small_and_large(
    size: tuple[int, int], stage: Any, snap_compare: Any, tmp_path: Path
) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *("right",) * STAGES.index(stage), "down")

    assert snap_compare(lab_app("one-step", tmp_path), terminal_size=size, run_before=run)


async def test_the_arrow_keys_walk_through_a_step_and_into_the_next(tmp_path: Path) -> None:
    async with lab_app("one-step", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *("right",) * 3)
        assert f"{state_of(pilot).shown.loss:.4f} nats per byte" in seen(pilot)
        await do(pilot, *("right",) * 4)
        assert "step 2 of 100" in seen(pilot)
        await do(pilot, "left")
        assert "step 1 of 100" in seen(pilot)


async def test_a_sentence_of_the_learner_is_learned_by_heart(tmp_path: Path) -> None:
    async with lab_app("one-step", tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "I like tea.")
        await do(pilot, *("r",) * 5, "g")
        assert "✓ Train on a sentence of your own until the loss is below 0.1" in seen(pilot)
        await do(pilot, "z")
        assert "step 1 of 100" in seen(pilot)


async def test_a_text_that_is_too_short_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    async with lab_app("one-step", tmp_path).run_test(size=(80, 24)) as pilot:
        await write(pilot, "x")
        assert "too short" in seen(pilot)
        assert state_of(pilot).text.startswith("The sun")
