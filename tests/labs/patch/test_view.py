"""Test the patching lab through its keys, and its sentences in plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.app.pressing import tap
from tests.labs.lab_backend import backend, done, settled
from tests.labs.lab_stage import (
    BackendEngine,
    at_rest,
    click_line,
    do,
    editor,
    impatient,
    lab_app,
    seen,
    state_of,
    write,
)
from tests.later import NORMAL_AND_SMALL
from tutor.app.widgets.lines import Lines
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, Run, ShowView
from tutor.labs.patch.lab import LAB, Continue, Patch, act
from tutor.labs.patch.view import PatchView
from tutor.lm.patch import Column
from tutor.plain.labs.sentences import describe

if TYPE_CHECKING:
    from pathlib import Path

DOWN = ["down"] * 3


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
def test_how_the_map_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "r", *DOWN, "right", "enter")

    assert snap_compare(lab_app("patch", tmp_path), terminal_size=size, run_before=run)


def test_how_the_heads_look(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "shift+tab", *["n"] * 4, "w", "r", "down", "right", "right")

    assert snap_compare(lab_app("patch", tmp_path), terminal_size=(80, 24), run_before=run)


def test_how_texts_of_different_length_look(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await write(pilot, "The capital of South Africa is")

    assert snap_compare(lab_app("patch", tmp_path), terminal_size=(80, 24), run_before=run)


async def test_home_and_end_go_to_the_first_and_the_last_row(tmp_path: Path) -> None:
    async with lab_app("patch", tmp_path).run_test(size=(80, 24)) as pilot:
        layer = state_of(pilot).layer
        await do(pilot, "end")
        last = state_of(pilot).position
        await do(pilot, "down")
        assert state_of(pilot).position == last > 0
        await do(pilot, "home")
        assert (state_of(pilot).position, state_of(pilot).layer) == (0, layer)


async def test_the_keys_compute_a_map_and_select_its_cells(tmp_path: Path) -> None:
    async with lab_app("patch", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *DOWN)
        assert "Press r to compute the map." in seen(pilot)
        await do(pilot, "r", "right")
        state = state_of(pilot)
        assert state.selected == Patch(Column("residual", "other", 3), 1)
        assert f"layer 2 at ␣France  moves {100 * state.moved(state.selected):.1f} %" in seen(pilot)
        await do(pilot, "up")
        assert "Both texts are the same up to here." in seen(pilot)


async def test_the_token_of_the_heads_is_chosen_with_p_and_n(tmp_path: Path) -> None:
    async with lab_app("patch", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "n")
        assert state_of(pilot).position == 0
        await do(pilot, "shift+tab", "n", "n", "n", "n", "p", "down")
        assert (state_of(pilot).position, state_of(pilot).head) == (3, 1)
        assert "layer 1, head 2 at ␣France" in seen(pilot)


@pytest.mark.parametrize("times", [0, 1, 2])
async def test_all_heads_of_the_default_model_are_visible(times: int, tmp_path: Path) -> None:
    """`w` is pressed `times` times. It adds a sentence about the source of the patch."""
    heads = 9
    async with lab_app("patch", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "shift+tab", *["n"] * 4, *["w"] * times, "r", "enter")
        view = pilot.app.screen.query_one(PatchView)
        state = state_of(pilot)
        # The map takes its number of heads from the pair of texts.
        pair = replace(state.pair, heads=heads)
        columns = {**state.columns}
        for head in range(heads):
            of = Column("head", state.source, state.position, head)
            columns[of] = state.columns[replace(of, head=0)]
        view.show(replace(state, pair=pair, columns=columns, head=heads - 1))
        shown = view.query_one("#lines", Lines).text
        assert all(f"head {head + 1} " in shown for head in range(heads))
        assert "without a patch" in shown
        assert len(shown.split("\n")) <= view.size.height


async def test_r_stops_a_run_which_goes_on_in_every_view(tmp_path: Path) -> None:
    engine = BackendEngine(impatient)
    async with lab_app("patch", tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await do(pilot, "r", "w", "w")
        engine.hold()
        await tap(pilot, "r")
        assert "r stop" in seen(pilot)
        assert "0 of 5 rows" in seen(pilot)
        running = state_of(pilot).running
        await tap(pilot, "tab")
        assert state_of(pilot).running == running
        await tap(pilot, "r")
        await at_rest(pilot)
        assert state_of(pilot).running == ()
        assert "r run" in seen(pilot)
        engine.release()
        await do(pilot, "shift+tab", "r")
        assert state_of(pilot).missing == ()
        assert len(state_of(pilot).columns) == 2 + 5


async def test_both_texts_can_be_edited(tmp_path: Path) -> None:
    async with lab_app("patch", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "r")
        await write(pilot, "The capital of South Africa is")
        assert "Text A has" in seen(pilot)
        assert "The maps of the earlier texts were removed." in seen(pilot)
        await do(pilot, "r", "enter")
        assert not state_of(pilot).running
        await do(pilot, "b")
        editor(pilot).load("The capital of North Africa is")
        await do(pilot, "enter")
        assert state_of(pilot).other == "The capital of North Africa is"
        await do(pilot, "x", "p")
        assert state_of(pilot).text == "The Eiffel Tower is in the city of"


async def test_enter_continues_text_a_from_the_selected_cell(tmp_path: Path) -> None:
    async with lab_app("patch", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *DOWN, "enter")
        state = state_of(pilot)
        assert state.plain.text.startswith("Paris")
        assert state.patched.text.startswith("Rome")
        assert "without a patch" in seen(pilot)
        assert "Rome" in seen(pilot)
        assert "other-answer" in LAB.reached(state)


async def test_a_click_selects_a_cell(tmp_path: Path) -> None:
    async with lab_app("patch", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "r")
        await click_line(pilot, "≠ ␣France", 18 + 3 * 2)
        assert (state_of(pilot).position, state_of(pilot).layer) == (3, 2)


def test_plain_mode_says_what_the_map_shows(tmp_path: Path) -> None:
    there = backend("patch", tmp_path)
    state = done("patch", there, Run(), MoveFocus(3, "position"))
    said = "\n".join(line for lines in describe("patch", state).values() for line in lines)
    moved = 100 * state.moved(state.selected)
    assert "Text A: The capital of France is." in said
    assert "Token 4 differs:" in said
    assert f"Selected: layer 1 at ␣France. It moves the answer by {moved:.1f} percent." in said
    best = max(range(6), key=lambda layer: state.moved(Patch(state.selected.column, layer)))
    assert f"Strongest cell of its row: layer {best + 1} at ␣France, " in said
    state = settled(LAB, act(state, Continue()), there)
    said = "\n".join(line for lines in describe("patch", state).values() for line in lines)
    assert "Patched at layer 1 at ␣France: Rome" in said
    state = done("patch", there, ShowView("head"), Choose(1, "source"))
    said = "\n".join(line for lines in describe("patch", state).values() for line in lines)
    assert "Patched: head, with the mean." in said
    assert "4 of 4 rows are not computed yet." in said
    state = done("patch", there, EditText("The capital of South Africa is"))
    said = "\n".join(line for lines in describe("patch", state).values() for line in lines)
    assert "more than text B" in said
