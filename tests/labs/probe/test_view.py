"""Test the lab on probes through its keys, and its sentences in plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.app.pressing import settle
from tests.app.whole_app import until
from tests.labs.lab_backend import backend, done
from tests.labs.lab_stage import do, editor, lab_app, seen, state_of, write
from tests.later import NORMAL_AND_SMALL
from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus, ShowView
from tutor.labs.kit.intervals import percent_range
from tutor.labs.kit.proportions import wilson
from tutor.labs.probe.lab import MILDER, Classified, Sentence, State, Trained
from tutor.labs.probe.view import ProbeView
from tutor.plain.labs.sentences import describe

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
def test_how_the_accuracy_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "left", "left")
        await until(pilot, lambda: state_of(pilot).control is not None)
        await settle(pilot)

    assert snap_compare(lab_app("probe", tmp_path), terminal_size=size, run_before=run)


def test_how_the_examples_look(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "tab", "n")
        await write(pilot, "The little dog was not happy")

    assert snap_compare(lab_app("probe", tmp_path), terminal_size=(80, 24), run_before=run)


def test_how_the_test_of_causality_looks(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "shift+tab", "x", "x", "left", "up", "up")

    assert snap_compare(lab_app("probe", tmp_path), terminal_size=(80, 24), run_before=run)


async def test_the_accuracies_are_shown_with_their_intervals(tmp_path: Path) -> None:
    app = lab_app("probe", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "left", "left")
        state = state_of(pilot)
        assert state.layer == state.layers - 3
        count = len(state.trained.held_out)
        for right in (state.trained.right(state.layer), state.control.right[state.layer]):
            assert f"{100 * right / count:.0f} %  {percent_range(wilson(right, count))}" in seen(
                pilot
            )
        assert f"selectivity {round(100 * state.selectivity):+d} points" in seen(pilot)
        assert MILDER in " ".join(seen(pilot).split())
        assert MILDER in describe("probe", state)["trained"]


async def test_an_error_is_marked_and_another_layer_judges_differently(tmp_path: Path) -> None:
    app = lab_app("probe", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "n")
        state = state_of(pilot)
        assert state.trained.wrong(state.layer, state.row)
        (line,) = (line for line in seen(pilot).splitlines() if line.lstrip().startswith("›  "))
        assert "×" in line
        assert state.trained.held_out[state.row].text in line


async def test_the_learners_sentence_is_judged_and_the_prompt_edited(tmp_path: Path) -> None:
    app = lab_app("probe", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab")
        await write(pilot, "The dog was sad")
        judged = state_of(pilot).judged
        assert f"{100 * judged.probabilities[-1]:.1f} %" in seen(pilot)
        assert "The dog was sad" in seen(pilot)
        await do(pilot, "tab", "e")
        assert editor(pilot).text == state_of(pilot).prompt
        editor(pilot).load("The boy was")
        await do(pilot, "enter", "up", "up")
        state = state_of(pilot)
        assert (state.prompt, state.strength) == ("The boy was", 1.0)
        assert state.shown is not None
        await do(pilot, "z")
        assert (state_of(pilot).strength, state_of(pilot).prompt) == (0.0, "The boy was")


async def test_new_labels_change_only_the_control_task(tmp_path: Path) -> None:
    app = lab_app("probe", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        before = state_of(pilot)
        await do(pilot, "s")
        after = state_of(pilot)
        assert after.seed == 1
        assert after.trained == before.trained
        assert after.control != before.control


def test_plain_mode_says_it_in_sentences(tmp_path: Path) -> None:
    there = backend("probe", tmp_path)
    choose = (Choose(-1, "set"), MoveFocus(-2, "layer"))
    state = done("probe", there, *choose)
    right, count = state.trained.right(4), len(state.trained.held_out)
    (said, *_more) = describe("probe", state)["trained"]
    assert said.startswith(f"The probe after block 4 gets {right} of {count} held-out ")
    own = done("probe", there, *choose, EditText("The dogs near the house"))
    assert describe("probe", own)["judged"][0].startswith("Your sentence, The dogs near the house:")
    added = done("probe", there, *choose, ShowView("causality"), Adjust(2, "strength"))
    lines = describe("probe", added)["added"]
    assert lines[0] == "The prompt: The key near the cabinets"
    assert lines[2].startswith("With the probe's direction, strength +1: are/were/have ")


@pytest.mark.parametrize("view", ["examples", "causality"])
def test_control_characters_of_a_saved_file_are_not_drawn(view: Any) -> None:
    text = "a\x1b[31mred\x1b]0;title\x07\nb"
    found = Trained(3, (3,), (Sentence(text, label=True),), ((0.9,),))
    state = State(
        view=view,
        layer=0,
        layers=1,
        own=(text,) * 3,
        prompts=(text,) * 3,
        trained=found,
        judged=Classified((0.5,), 0),
    )
    lines = [line.plain for line in ProbeView.lines(cast("ProbeView", None), state, 80, 24)]
    assert sum("red" in line for line in lines) == (2 if view == "examples" else 1)
    assert all(map(str.isprintable, lines))
