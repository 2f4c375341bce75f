"""The lab of attention, by its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import at_rest, do, editor, lab_app, seen, state_of

if TYPE_CHECKING:
    from pathlib import Path

SIZES = [(80, 24), (40, 12), (140, 40)]


@pytest.mark.parametrize("size", SIZES)
def test_how_the_map_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "up", "up", "right", "p", "p")

    assert snap_compare(lab_app("attention", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("keys", [["tab"], ["o"]], ids=["token", "finder"])
def test_how_the_others_look(keys: list[str], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *keys)

    assert snap_compare(lab_app("attention", tmp_path), terminal_size=(80, 24), run_before=run)


async def test_the_finder_leads_to_a_head(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "o", "o", "down")
        assert "the first token most?" in seen(pilot)
        layer, head, _ = state_of(pilot).ranking()[1]
        await do(pilot, "enter")
        assert state_of(pilot).view == "map"
        assert f"layer {layer + 1:>2} of 6  head {head + 1:>2} of 4" in seen(pilot)


async def test_a_share_of_the_row_is_said_in_figures(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "up", "p")
        state = state_of(pilot)
        for share in list(state.row(state.token))[: state.token + 1]:
            if share > 0.1:
                assert f"{100 * share:.1f} %" in seen(pilot)


async def test_a_sentence_without_repetition_has_no_heads_that_find_it(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        editor(pilot).load("One cat sleeps")
        await do(pilot, "enter", "o", "o", "o", "o")
        assert "No token comes twice" in seen(pilot)


async def test_a_long_text_says_what_is_left_out(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await do(pilot, "e")
        editor(pilot).load("so long " * 40)
        await pilot.press("enter")
        await at_rest(pilot)
        assert "left out" in seen(pilot)
