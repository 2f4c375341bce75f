"""Test the keys and the pictures of the tokenizer lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, lab_app, seen, state_of
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path

OWN = ("e", *"wobblefrog", "space", *"wobblefrog", "enter")
"""Keys that type a training text. The text of the lessons changes, and so would its figures."""


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *OWN, "up")

    assert snap_compare(lab_app("train-tokenizer", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.slow
async def test_training_on_a_text_of_the_learner_and_on_the_lessons_again(tmp_path: Path) -> None:
    async with lab_app("train-tokenizer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *OWN)
        assert "your text of 21 characters" in seen(pilot)
        await do(pilot, "z")
        assert "trained on the lessons" in seen(pilot)
        assert state_of(pilot).run.tokens > 1000


async def test_the_size_changes_and_a_text_is_tokenized(tmp_path: Path) -> None:
    async with lab_app("train-tokenizer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *OWN, "up", "up")
        assert "no merges, only the 256 bytes" in seen(pilot)
        await do(pilot, "t", *("backspace",) * 13, *"frog", "enter")
        assert "4 tokens" in seen(pilot)


async def test_the_saving_of_a_doubled_vocabulary_is_shown(tmp_path: Path) -> None:
    async with lab_app("train-tokenizer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "down")  # 320 and 384 tokens
        assert "half the vocabulary" not in seen(pilot)
        await do(pilot, "down", "down")  # 512 and 768 tokens
        runs = state_of(pilot).runs
        part = f"{1 - runs[768].tokens / runs[384].tokens:.1%}".replace("%", " %")
        assert f"{part} fewer tokens than with half the vocabulary" in seen(pilot)
