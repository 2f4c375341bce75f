"""Test the lab on one word in two sentences through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, editor, lab_app, screen_of, seen, state_of, write
from tests.later import SIZES
from tutor.app.widgets.plot import upright

if TYPE_CHECKING:
    from pathlib import Path

OWN = "The name of the *country* / A long river of the *country*"


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await write(pilot, OWN)
        await do(pilot, "f")

    assert snap_compare(lab_app("word-in-context", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("presses", [1, 2])
def test_how_rows_and_differences_look(presses: int, snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await write(pilot, OWN)
        await do(pilot, "right", *["tab"] * presses)

    app = lab_app("word-in-context", tmp_path)
    assert snap_compare(app, terminal_size=(80, 24), run_before=run)


async def test_keys_change_the_layer_the_method_and_the_example(tmp_path: Path) -> None:
    app = lab_app("word-in-context", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab")
        assert "No difference: the two vectors are equal here." in seen(pilot)
        await do(pilot, "right", "right")
        assert "layer 2" in seen(pilot)
        assert len(state_of(pilot).names.first) > 3
        await do(pilot, "x")
        assert "muddy" in seen(pilot)
        assert state_of(pilot).layer == 2


async def test_every_number_says_what_it_is_and_the_view_fits(tmp_path: Path) -> None:
    app = lab_app("word-in-context", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "on average" in seen(pilot)
        assert "the next token if the network had no layers" in seen(pilot)
        await do(pilot, "right")
        assert "the next token if the network stopped at this layer" in seen(pilot)
        await do(pilot, "tab")
        assert "nearest to the vector, with cosines" in seen(pilot)
        await do(pilot, "tab")
        assert "nearest to this vector minus the other, with cosines" in seen(pilot)
        assert screen_of(pilot).view.max_scroll_y == 0


async def test_home_and_end_go_to_the_first_and_the_last_layer(tmp_path: Path) -> None:
    app = lab_app("word-in-context", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "end")
        last = len(state_of(pilot).compared.cosines) - 1
        assert state_of(pilot).layer == last > 0
        assert "They walked along" in seen(pilot)
        await do(pilot, "home")
        assert state_of(pilot).layer == 0


async def test_sentences_with_no_word_in_common_are_refused_and_can_be_corrected(
    tmp_path: Path,
) -> None:
    app = lab_app("word-in-context", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, "cats / dogs")
        assert "no word in common" in seen(pilot)
        assert editor(pilot).text == "cats / dogs"
        await do(pilot, "escape")
        assert "river bank" in seen(pilot)


async def test_the_word_is_visible_if_the_sentence_is_too_long(tmp_path: Path) -> None:
    app = lab_app("word-in-context", tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await write(pilot, f"{'a b c ' * 12}*country* / the *country*")
        assert "country" in seen(pilot).splitlines()[4]


def test_upright_bars_are_as_high_as_their_values() -> None:
    assert upright([0, 0.25, 0.5, 1], 2, 1) == ["   █", " ▄██"]
    assert upright([0.001, 2, -1], 1, 2) == ["▁▁██  "]
    assert upright([], 2, 3) == ["", ""]
