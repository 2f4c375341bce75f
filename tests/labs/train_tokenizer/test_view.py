"""Training a tokenizer, by its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, lab_app, seen, state_of

if TYPE_CHECKING:
    from pathlib import Path

OWN = ("e", *"wobblefrog", "space", *"wobblefrog", "enter")
"""On a text of one's own: the lessons change, and so would their figures."""


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (140, 40)])
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *OWN, "up")

    assert snap_compare(lab_app("train-tokenizer", tmp_path), terminal_size=size, run_before=run)


async def test_it_is_trained_on_what_is_written_and_on_the_lessons_again(tmp_path: Path) -> None:
    async with lab_app("train-tokenizer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *OWN)
        assert "your text of 21 characters" in seen(pilot)
        await do(pilot, "l")
        assert "the prose of the lessons" in seen(pilot)
        assert state_of(pilot).run.tokens > 1000


async def test_the_dial_and_a_text_to_try(tmp_path: Path) -> None:
    async with lab_app("train-tokenizer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *OWN, "up", "up")
        assert "no merges: the 256 bytes alone" in seen(pilot)
        await do(pilot, "t", *("backspace",) * 13, *"frog", "enter")
        assert "4 pieces" in seen(pilot)
