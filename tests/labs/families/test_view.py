"""Test the keys and the pictures of the lab of the three families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, editor, lab_app, screen_of, seen, state_of
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path

ACROSS = ("tab", "tab", "x", "x")


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "x")

    assert snap_compare(lab_app("families", tmp_path), terminal_size=size, run_before=run)


def test_how_a_decoder_looks(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "tab", "x", "right")

    assert snap_compare(lab_app("families", tmp_path), terminal_size=(80, 24), run_before=run)


def test_how_cross_attention_looks(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *ACROSS)

    assert snap_compare(lab_app("families", tmp_path), terminal_size=(80, 24), run_before=run)


def test_how_a_mask_looks(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "m", "tab")

    assert snap_compare(lab_app("families", tmp_path), terminal_size=(80, 24), run_before=run)


async def test_the_same_text_is_given_to_each_family(tmp_path: Path) -> None:
    app = lab_app("families", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        editor(pilot).load("the dog near the _ barks")
        await do(pilot, "enter")
        assert "encoder  " in seen(pilot)
        assert "with the left side only" in seen(pilot)
        await do(pilot, "tab")
        assert "the dog near the │ _ barks" in seen(pilot)
        assert "continues" in seen(pilot)
        await do(pilot, "tab")
        assert "output  the dogs near the" in seen(pilot)
        await do(pilot, "tab")
        assert state_of(pilot).family == "encoder"


async def test_a_goal_is_reached_and_kept(tmp_path: Path) -> None:
    app = lab_app("families", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "x", "g")
        assert "✓ Find a blank" in seen(pilot)
        app.progress.drain(10)
        assert app.progress.lesson("attention").goals_reached["families"] == ("right-side",)


async def test_the_parts_of_the_attention_are_shown_in_turn(tmp_path: Path) -> None:
    app = lab_app("families", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "a")
        assert state_of(pilot).part == "reading"
        await do(pilot, *ACROSS)
        parts = []
        for _ in range(3):
            parts.append(state_of(pilot).part)
            await do(pilot, "a")
        assert parts == ["across", "reading", "writing"]
        assert "seventeen thousand seventeen" in seen(pilot)


async def test_layer_head_and_row_are_chosen_by_keys(tmp_path: Path) -> None:
    app = lab_app("families", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "down", "right", "right", "n")
        state = state_of(pilot)
        assert (state.layer, state.head, state.focus) == (0, 2, 4)
        assert "layer 1 of 2, head 2 of 4" in seen(pilot)
        assert "sleeps attends to" in seen(pilot)
        await do(pilot, "m")
        # The mask is the same in every layer.
        assert not screen_of(pilot).view.check_action("move_focus", (1, "layer"))
        assert "81 of 81 pairs" in seen(pilot)


async def test_a_text_that_is_too_long_is_cut_with_a_note(tmp_path: Path) -> None:
    app = lab_app("families", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        editor(pilot).load("the dog and " * 8)
        await do(pilot, "enter")
        assert "Only the first 20 words are used." in seen(pilot)
