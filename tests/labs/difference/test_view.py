"""Test the lab that compares A and B through its keys."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.labs.difference.test_lab import OTHER, TEXT, with_bits
from tests.labs.lab_stage import do, editor, lab_app, screen_of, seen, state_of, write
from tests.later import NORMAL_AND_SMALL, SIZES
from tutor import paths
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.labs.comparison import open_comparison
from tutor.app.widgets.lines import Lines
from tutor.labs.difference import plain
from tutor.labs.difference.questions import Part, Text
from tutor.labs.difference.state import View
from tutor.labs.difference.strip import bar
from tutor.labs.difference.view import DifferenceView
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.text import visible

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


async def edit_both(pilot: Pilot[Any]) -> None:
    """Write a text for A and one for B."""
    await do(pilot, "E")
    editor(pilot).load(TEXT)
    await do(pilot, "enter")
    await write(pilot, OTHER)


@pytest.mark.parametrize("size", SIZES)
def test_how_two_prompts_look(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await edit_both(pilot)
        await do(pilot, "f")

    assert snap_compare(lab_app("difference", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize(
    "keys",
    [
        ["tab", "left", "left"],
        ["tab", "tab", "right", "down", "enter"],
    ],
    ids=["sampler", "parts"],
)
def test_how_the_others_look(keys: list[str], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *keys)

    assert snap_compare(lab_app("difference", tmp_path), terminal_size=(80, 24), run_before=run)


async def test_fewer_bits_diverge_more(tmp_path: Path) -> None:
    """The rounded weights are of the real model, and their last digits depend on the processor."""
    app = lab_app("difference", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab", "tab")
        assert "›3  2" in seen(pilot)
        assert "A and B are the same." not in seen(pilot)
        await do(pilot, "up", "up")
        eight = state_of(pilot).total_bits[0]
        assert "›8  4" in seen(pilot)
        await do(pilot, "down")
        assert "›4  3" in seen(pilot)
        assert 0 < eight < state_of(pilot).total_bits[0]
        assert f"total {state_of(pilot).total_bits[0]:.2f} bits" in seen(pilot)


async def test_the_bundled_base_model_is_compared_with_its_instruct_model(tmp_path: Path) -> None:
    """Both are real models, whose numbers can differ in the last digit between processors."""
    app = lab_app("difference", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "shift+tab", "f")
        state = state_of(pilot)
        assert state.view == "tuning"
        continued, answered = state.setup.written
        assert "<|im_end|>" not in continued
        assert answered.endswith("<|im_end|>")
        assert "A  base model  " in seen(pilot)
        assert "B  instruct model  The␣capital" in seen(pilot)


async def test_f_goes_to_the_largest_divergence_and_the_arrows_move(tmp_path: Path) -> None:
    app = lab_app("difference", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await edit_both(pilot)
        await do(pilot, "f")
        state = state_of(pilot)
        assert state.here.bits == max(each.bits for each in state.compared)
        assert f"{state.here.bits:.2f} bits" in seen(pilot)
        assert f"total {state.total_bits[0]:.2f} bits" in seen(pilot)
        at = state.place
        await do(pilot, "left", "p")
        assert state_of(pilot).place == at - 2
        await do(pilot, "n", "right")
        assert state_of(pilot).place == at


async def test_o_sorts_the_rows(tmp_path: Path) -> None:
    async with lab_app("difference", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "by change" in seen(pilot)
        await do(pilot, "o")
        assert "by probability in A" in seen(pilot)


async def test_e_edits_the_text_of_b_and_shift_e_that_of_a(tmp_path: Path) -> None:
    async with lab_app("difference", tmp_path).run_test(size=(80, 24)) as pilot:
        await edit_both(pilot)
        assert (state_of(pilot).a.text, state_of(pilot).b) == (TEXT, OTHER)
        await do(pilot, "tab")
        await write(pilot, "Once upon a time")
        assert (state_of(pilot).a.text, state_of(pilot).b) == ("Once upon a time", OTHER)


async def test_the_arrows_change_the_sampler_and_p_and_n_move(tmp_path: Path) -> None:
    async with lab_app("difference", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "left", "down", "right", "p")
        state = state_of(pilot)
        assert state.sampler_b == SamplerSettings(temperature=0.7, top_k=1)
        assert state.place == len(state.places) - 2
        assert "KL(A‖B)     ∞ bits" in seen(pilot)
        await do(pilot, "z")
        assert state_of(pilot).sampler_b == SamplerSettings(temperature=0.8)


async def test_enter_switches_a_part_off_and_b_finds_the_strongest(tmp_path: Path) -> None:
    async with lab_app("difference", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab")
        assert "nothing is off" in seen(pilot)
        await do(pilot, "right", "down", "enter")
        assert state_of(pilot).parts == (Part(1, 1),)
        assert "off: 2.2" in seen(pilot)
        await do(pilot, "b")
        state = state_of(pilot)
        assert len(state.scan) == 30
        assert f"off: {state.parts[0].name}" in seen(pilot)


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
@pytest.mark.parametrize(
    ("view", "cut", "cut_b", "said"),
    [
        ("parts", 172, 0, "Compared: the first 2 of 174 tokens"),
        ("prompt", 2, 2, "Compared: the first 2 of 4 tokens of B"),
        ("prompt", 5, 2, "Compared: the first 2 of 5 tokens of A"),
        ("parts", 0, 0, ""),
    ],
)
async def test_a_line_says_how_much_of_a_long_text_is_compared(
    view: View, cut: int, cut_b: int, said: str, size: tuple[int, int], tmp_path: Path
) -> None:
    async with lab_app("difference", tmp_path).run_test(size=size) as pilot:
        await do(pilot)
        state = with_bits(0, 0.5, view=view)
        assert state.setup is not None
        setup = replace(state.setup, left_out=cut, left_out_b=cut_b)
        shown = pilot.app.screen.query_one(DifferenceView)
        shown.show(replace(state, setup=setup))
        lines = shown.query_one("#lines", Lines).text.split("\n")
        found = [line for line in lines if line.startswith("Compared")]
        assert len(lines) <= shown.size.height
        assert [line[:35] for line in found] == ([said[:35]] if said else [])
        if cut == 5 and size[0] == 80:
            assert found == ["Compared: the first 2 of 5 tokens of A, 2 of 4 of B"]


async def test_the_parts_name_the_keys_that_the_key_line_has_no_room_for(tmp_path: Path) -> None:
    async with lab_app("difference", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab", "enter")
        assert "b: strongest here   off: 1.1" in seen(pilot)
        assert "(p/n)" in seen(pilot)
        await do(pilot, "tab")
        assert "(p/n)" not in seen(pilot)


async def test_the_model_view_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "none"))
    monkeypatch.setattr(paths, "bundled_base_folder", lambda: tmp_path / "none")
    monkeypatch.setattr(paths, "bundled_instruct_folder", lambda: tmp_path / "none")
    async with lab_app("difference", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "shift+tab", "shift+tab")
        said = " ".join(seen(pilot).split())
        assert "No other installed model has the same vocabulary. Copy one" in said
        models = paths.user_models_folder()
        shutil.copytree(paths.bundled_model_folder(), models / "copied-model")
        await do(pilot, "tab", "shift+tab")
        assert "copied-model" in seen(pilot)


@pytest.mark.slow
async def test_the_base_and_instruct_models_answer_the_learners_question(tmp_path: Path) -> None:
    async with lab_app("difference", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "shift+tab")
        assert "base model" in seen(pilot)
        assert visible(state_of(pilot).setup.written[1].encode()) in seen(pilot)
        await write(pilot, "What is the capital of Italy?")
        assert "What is the capital of Italy?<|im_end|>" in seen(pilot)
        at = state_of(pilot).place
        await do(pilot, "left", "f")
        assert state_of(pilot).place < at
        said = [line for lines in plain.describe(state_of(pilot)).values() for line in lines]
        assert any(line.startswith("The base model writes: ") for line in said)
        assert any(line.startswith("The instruct model writes: The ") for line in said)
        assert any("Question: What is the capital of Italy?" in line for line in said)


async def test_a_token_can_be_clicked(tmp_path: Path) -> None:
    async with lab_app("difference", tmp_path).run_test(size=(80, 24)) as pilot:
        await edit_both(pilot)
        view = screen_of(pilot).query_one("#lines")
        y = next(n for n, line in enumerate(view.plain) if line.startswith(TEXT))  # type: ignore[attr-defined]
        await pilot.click(view, offset=(1, y))
        await do(pilot)
        assert state_of(pilot).place == 0


def test_the_height_of_a_bar_shows_bits() -> None:
    glyphs = [bar(bits)[0] for bits in (0, 0.009, 0.01, 0.1, 1, 3.9, 4, 90, math.inf)]
    assert "".join(glyphs) == "··▁▃▆▇██∞"


def test_plain_mode_describes_a_and_b_and_where_they_differ() -> None:
    state = with_bits(0, math.inf, 0.5, b="Another text", place=1)
    said = [line for lines in plain.describe(state).values() for line in lines]
    assert "Text of B: Another text." in said
    assert any(line.startswith("After token 2 of 3,") for line in said)
    assert any("infinitely many bits from A to B" in line for line in said)
    assert any(line.endswith("90.0 percent in A, 40.0 percent in B.") for line in said)
    off = replace(state, view="parts", parts=(Part(0, 1), Part(2, -1)))
    assert "Switched off in B: 1.2 and 3.ff." in plain.describe(off)["b"]
    same = "A and B are the same."
    assert same not in said
    assert same in plain.describe(replace(state, b=state.a.text))["total"]


async def test_the_key_of_the_stepper_opens_its_text_at_its_position(tmp_path: Path) -> None:
    async with lab_app("difference", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot)
        tokens = state_of(pilot).setup.tokens_a[:4]
        app: Any = pilot.app
        compared = ExplorerPane.Compare(tokens, "f" * 64, SamplerSettings(top_k=3), 2)
        open_comparison(app, app.navigator, compared)
        await do(pilot)
        state = state_of(pilot)
        assert state.a == Text("".join(token.text for token in tokens), state.a.ids, "f" * 64)
        assert state.sampler == SamplerSettings(top_k=3)
        assert state.places[state.at].a == 2
        assert "A is your text. Press Esc to return to the stepper." in seen(pilot)


async def test_u_brings_back_the_texts_that_the_stepper_replaced(tmp_path: Path) -> None:
    async with lab_app("difference", tmp_path).run_test(size=(80, 24)) as pilot:
        await edit_both(pilot)
        app: Any = pilot.app
        tokens = state_of(pilot).setup.tokens_a[:4]
        compared = ExplorerPane.Compare(tokens, "f" * 64, PLAIN, 2)
        open_comparison(app, app.navigator, compared)
        await do(pilot)
        assert state_of(pilot).a.text != TEXT
        assert "Press u to undo" in seen(pilot)
        await do(pilot, "u")
        assert (state_of(pilot).a.text, state_of(pilot).b) == (TEXT, OTHER)
