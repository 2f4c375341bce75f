"""Test the neighbors lab through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, editor, lab_app, seen, state_of, write

if TYPE_CHECKING:
    from pathlib import Path

VIEWS = {
    "near": ("down", "down"),
    "pairs": ("tab", "down", "right"),
    "sums": ("tab", "tab", "down"),
}


@pytest.mark.parametrize("view", VIEWS)
def test_how_it_looks(view: str, snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *VIEWS[view])

    assert snap_compare(lab_app("neighbors", tmp_path), terminal_size=(80, 24), run_before=run)


@pytest.mark.parametrize(
    ("view", "size"),
    [("near", (40, 12)), ("pairs", (40, 12)), ("sums", (40, 12)), ("near", (140, 40))],
)
def test_how_it_looks_in_other_sizes(
    view: str, size: tuple[int, int], snap_compare: Any, tmp_path: Path
) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *VIEWS[view])

    assert snap_compare(lab_app("neighbors", tmp_path), terminal_size=size, run_before=run)


async def test_a_word_is_looked_up_and_its_neighbor_visited(tmp_path: Path) -> None:
    app = lab_app("neighbors", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, "family")
        assert "nearest to ␣family" in seen(pilot)
        neighbor = state_of(pilot).near[1].token
        await do(pilot, "down", "enter")
        assert state_of(pilot).neighborhood.token == neighbor


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_key_shows_distances(size: tuple[int, int], tmp_path: Path) -> None:
    app = lab_app("neighbors", tmp_path)
    async with app.run_test(size=size) as pilot:
        await do(pilot)
        before = seen(pilot)
        await do(pilot, "k")
        assert state_of(pilot).by_distance
        assert f"{state_of(pilot).near[0].distance:.2f}" in seen(pilot)
        (mean,) = (line for line in seen(pilot).splitlines() if "mean, all rows" in line)
        there = state_of(pilot).neighborhood
        assert mean.split()[-2:] == [f"{there.chance:.2f}", f"{there.chance_distance:.2f}"]
        await do(pilot, "k")
        assert seen(pilot) == before


async def test_a_word_of_several_tokens_gets_a_note_and_has_other_forms(
    tmp_path: Path,
) -> None:
    app = lab_app("neighbors", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, "Donaudampfschiff")
        assert "the first token's row is used" in seen(pilot)
        before = state_of(pilot).neighborhood.token
        await do(pilot, "f")
        assert state_of(pilot).neighborhood.token != before


async def test_the_screen_says_whether_the_learners_own_sum_works(tmp_path: Path) -> None:
    app = lab_app("neighbors", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab")
        await write(pilot, "father - man + woman = mother")
        found = state_of(pilot).chosen
        assert (found.own, found.words) == (True, ("father", "man", "woman", "mother"))
        said = "It works" if found.sum.rank_without == 1 else "It fails"
        assert said in seen(pilot)
        assert "father - man + woman = mother" in seen(pilot)


async def test_a_new_sum_begins_empty_or_as_the_selected_one(tmp_path: Path) -> None:
    app = lab_app("neighbors", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab", "down")
        assert "e new sum" in seen(pilot)
        await do(pilot, "e")
        assert editor(pilot).text == ""
        assert "for example: Paris - France + Germany = Berlin" in seen(pilot)
        await do(pilot, "up")
        assert editor(pilot).text == "Paris - France + Germany = Berlin"
        await do(pilot, "escape")
        await write(pilot, "father - man + woman = mother")
        assert "father - man + woman = mother" in seen(pilot)
        assert "Paris - France + Germany = Berlin" in seen(pilot)


async def test_an_invalid_sum_is_refused_and_can_be_corrected(tmp_path: Path) -> None:
    app = lab_app("neighbors", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab")
        await write(pilot, "father and mother")
        assert "must have the form" in seen(pilot)
        assert editor(pilot).text == "father and mother"


async def test_a_list_of_one_word_is_refused_and_can_be_corrected(tmp_path: Path) -> None:
    app = lab_app("neighbors", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab")
        await write(pilot, "one")
        assert "At least two words are needed." in seen(pilot)
        assert editor(pilot).text == "one"


async def test_the_screen_counts_the_words_that_are_left_out(tmp_path: Path) -> None:
    app = lab_app("neighbors", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab")
        await write(pilot, "a b c d e f g h i j k l")
        assert "10 words fit; 2 more are left out." in seen(pilot)


async def test_the_row_in_focus_is_visible_on_a_low_screen(tmp_path: Path) -> None:
    app = lab_app("neighbors", tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        for part in ("near", "pairs", "sums"):
            await do(pilot, "down", "down", "down")
            assert state_of(pilot).view == part
            assert sum(line.lstrip().startswith("›") for line in seen(pilot).splitlines()) == 1
            await do(pilot, "tab")


async def test_an_empty_word_is_refused_and_the_last_one_stays(tmp_path: Path) -> None:
    app = lab_app("neighbors", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, "  ")
        assert "The word is empty." in seen(pilot)
        await do(pilot, "escape")
        assert "nearest to ␣good" in seen(pilot)
