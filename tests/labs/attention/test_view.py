"""Test the attention lab through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import (
    at_rest,
    click_line,
    do,
    editor,
    lab_app,
    screen_of,
    seen,
    state_of,
)
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", SIZES)
def test_how_the_map_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "up", "up", "right", "p", "p")

    assert snap_compare(lab_app("attention", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("keys", [["tab"], ["f"]], ids=["token", "finder"])
def test_how_the_others_look(keys: list[str], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *keys)

    assert snap_compare(lab_app("attention", tmp_path), terminal_size=(80, 24), run_before=run)


async def test_enter_in_the_finder_shows_the_head(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "f", "f", "down")
        assert "attends most to the first token?" in seen(pilot)
        layer, head, _ = state_of(pilot).ranking()[1]
        await do(pilot, "enter")
        assert state_of(pilot).view == "map"
        assert f"layer {layer + 1:>2} of 6  head {head + 1:>2} of 4" in seen(pilot)


async def test_the_row_shows_attention_in_figures(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "up", "p")
        state = state_of(pilot)
        for share in list(state.row(state.token))[: state.token + 1]:
            if share > 0.1:
                assert f"{100 * share:.1f} %" in seen(pilot)


async def test_the_finder_says_that_no_token_occurs_twice(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        editor(pilot).load("One cat sleeps")
        await do(pilot, "enter", "f", "f", "f", "f")
        assert "No token occurs twice" in seen(pilot)


async def test_the_screen_says_how_much_of_a_long_text_is_left_out(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await do(pilot, "e")
        editor(pilot).load("so long " * 40)
        await pilot.press("enter")
        await at_rest(pilot)
        assert "left out" in seen(pilot)


async def test_a_click_on_a_row_of_the_map_focuses_its_token(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "up")
        layer = state_of(pilot).layer
        for number in (9, 5):
            await click_line(pilot, f"   {number} ", 5)
            assert state_of(pilot).token == number - 1
        assert state_of(pilot).layer == layer


async def test_the_row_says_how_many_tokens_it_leaves_out(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(80, 20)) as pilot:
        await do(pilot, "tab")
        state = state_of(pilot)
        row = list(state.row(state.token))
        shown = seen(pilot).count(" %  █")
        assert 0 < shown < len(row)
        most = sorted(row, reverse=True)[shown]
        assert f"{len(row) - shown} more, each at most {100 * most:.1f} %" in seen(pilot)


async def test_the_keys_that_find_a_head_and_choose_a_token_are_shown(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "f find" in seen(pilot)
        assert "p/n token" in seen(pilot)
        await do(pilot, "tab")
        assert "f find" in seen(pilot)
        assert "p/n token 16" in seen(pilot)
        await do(pilot, "f")
        assert "f find" in seen(pilot)
        assert "enter open" in seen(pilot)


async def test_the_map_reaches_a_goal_about_a_row(tmp_path: Path) -> None:
    app = lab_app("attention", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "f", "f", "enter")
        assert state_of(pilot).view == "map"
        while state_of(pilot).row(state_of(pilot).token)[0] < 0.9:
            assert "sink" not in screen_of(pilot).lab.reached(state_of(pilot))
            await do(pilot, "p")
        assert state_of(pilot).token > 2
        assert "reached: Select a token (4th or later)" in seen(pilot)
