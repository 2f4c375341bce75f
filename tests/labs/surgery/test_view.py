"""Test the surgery lab through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import click_line, do, lab_app, seen, state_of, write
from tests.later import SIZES
from tutor.labs.surgery.lab import Cut

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", SIZES)
def test_how_the_next_token_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "right", "right", "a", "down")

    assert snap_compare(lab_app("surgery", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("keys", [["tab"], ["tab", "tab", "b"]], ids=["lens", "copying"])
def test_how_the_others_look(keys: list[str], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "a", *keys)

    assert snap_compare(lab_app("surgery", tmp_path), terminal_size=(80, 24), run_before=run)


async def test_a_part_is_chosen_and_switched_off(tmp_path: Path) -> None:
    app = lab_app("surgery", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "right", "down", "down", "enter")
        assert state_of(pilot).cuts == (Cut(1, 2),)
        assert "off: 1 head, 0 feed-forward" in seen(pilot)
        assert f"{state_of(pilot).next.divergence:.3f} bits" in seen(pilot)
        await do(pilot, "z")
        assert state_of(pilot).cuts == ()


async def test_copying_is_shown_in_bits_before_and_after(tmp_path: Path) -> None:
    app = lab_app("surgery", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab", "b", "b")
        copied = state_of(pilot).copied
        for value in (copied.new, copied.before, copied.after):
            assert f"{value:.2f}" in seen(pilot)


async def test_the_text_can_be_edited(tmp_path: Path) -> None:
    app = lab_app("surgery", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "enter")
        await write(pilot, "Once upon a")
        state = state_of(pilot)
        assert state.text == "Once upon a"
        assert state.cuts == (Cut(0, 0),)
        assert state.next.rows[0].token.text.strip() in seen(pilot)


async def test_a_click_on_a_cell_focuses_its_part(tmp_path: Path) -> None:
    app = lab_app("surgery", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "right", "down")
        await click_line(pilot, "head 4", 9 + 2 * 4)
        assert (state_of(pilot).layer, state_of(pilot).part) == (4, 3)
        await click_line(pilot, "head 2", 2)
        assert (state_of(pilot).layer, state_of(pilot).part) == (4, 1)
