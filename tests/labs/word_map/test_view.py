"""Test the lab with the map of words through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, editor, lab_app, seen, state_of, write
from tests.later import SIZES

if TYPE_CHECKING:
    from pathlib import Path

WORDS = "man woman people family; year time day part; North South West East"


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await write(pilot, WORDS)
        await do(pilot, "n")

    assert snap_compare(lab_app("word-map", tmp_path), terminal_size=size, run_before=run)


def test_how_it_looks_closer(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await write(pilot, WORDS)
        await do(pilot, "n", "n", "i", "right")

    assert snap_compare(lab_app("word-map", tmp_path), terminal_size=(80, 24), run_before=run)


async def test_every_point_is_shown_with_its_mark(tmp_path: Path) -> None:
    app = lab_app("word-map", tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await write(pilot, "man woman; year time; North")
        text = seen(pilot)
        # The legend has one of each, and the goal has a circle.
        assert (text.count("○"), text.count("▲")) == (2 + 1 + 1, 1 + 1)
        for word in ("man", "woman", "year", "time", "North"):
            assert word in text


async def test_keys_zoom_pan_and_show_the_whole_map_again(tmp_path: Path) -> None:
    app = lab_app("word-map", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        whole = seen(pilot)
        assert "pan" not in whole
        await do(pilot, "i", "i")
        closer = seen(pilot)
        assert "zoom 2.2" in closer
        await do(pilot, "right", "up")
        moved = state_of(pilot).center
        await do(pilot, "left")
        assert state_of(pilot).center[0] < moved[0]
        await do(pilot, "w")
        assert seen(pilot).splitlines()[4:-3] == whole.splitlines()[4:-3]


async def test_one_step_of_zoom_is_enough_where_the_map_is_misleading(tmp_path: Path) -> None:
    app = lab_app("word-map", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        for _word in state_of(pilot).chosen.all:
            if "The map is misleading here." in seen(pilot):
                break
            await do(pilot, "n")
        assert "The map is misleading here." in seen(pilot)
        await do(pilot, "i")
        assert "1 of 3 goals reached" in seen(pilot)


async def test_a_slash_between_groups_is_no_word(tmp_path: Path) -> None:
    app = lab_app("word-map", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, "man woman / year time / North")
        assert "●/" not in seen(pilot)
        assert "▲ group 3" in seen(pilot)


async def test_too_few_words_are_refused(tmp_path: Path) -> None:
    app = lab_app("word-map", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, "one two")
        assert "A map needs at least three words" in seen(pilot)
        assert editor(pilot).text == "one two"


async def test_the_next_example_and_a_word_of_several_tokens(tmp_path: Path) -> None:
    app = lab_app("word-map", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "x")
        assert "countries   shows" in seen(pilot)
        await write(pilot, "Donaudampfschiff man year")
        assert "the first token's row is used" in seen(pilot)


async def test_wide_characters_keep_the_frame_straight(tmp_path: Path) -> None:
    from rich.cells import cell_len

    from tutor.labs.kit.words.plot import Named, WordPlot

    app = lab_app("word-map", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        plot = app.screen.query_one(WordPlot)
        plot.show(
            [Named(0, 0, "東京", 0), Named(1, 1, "e\u0301a", 1), Named(2, 0, "b", 2)], 0, None, 1
        )
        await pilot.pause()
        await pilot.pause()
        text = seen(pilot)
        assert "●東京" in text
        framed = [line for line in text.splitlines() if line.startswith(" │")]
        assert framed
        assert {cell_len(line) for line in framed} == {79}
