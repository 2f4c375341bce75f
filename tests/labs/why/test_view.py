"""Test the lab "Why this token?" through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.labs.lab_stage import do, editor, lab_app, seen, state_of, write
from tutor.app.widgets import bars
from tutor.labs.kit import heat
from tutor.labs.why.lab import LAB
from tutor.plain.labs.sentences import describe

if TYPE_CHECKING:
    from pathlib import Path

PAIR = ["down", "down", "c"]
VIEWS = {"next": PAIR, "parts": [*PAIR, "tab"], "map": [*PAIR, "tab", "tab"]}
VIEWS["tokens"] = [*PAIR, "shift+tab"]


@pytest.mark.parametrize("keys", VIEWS.values(), ids=VIEWS)
def test_how_it_looks(keys: list[str], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *keys)

    assert snap_compare(lab_app("why", tmp_path), terminal_size=(80, 24), run_before=run)


@pytest.mark.parametrize("view", ["next", "tokens"])
def test_how_it_looks_on_a_small_screen(view: str, snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *VIEWS[view])

    assert snap_compare(lab_app("why", tmp_path), terminal_size=(40, 12), run_before=run)


async def test_the_way_from_a_token_to_the_head_that_raised_it(tmp_path: Path) -> None:
    app = lab_app("why", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "Press c on another token" in seen(pilot)
        await do(pilot, "down", "c")
        state = state_of(pilot)
        assert state.against == state.candidates.rows[1].token
        assert f"= {state.logit:+.2f}" in seen(pilot)
        await do(pilot, "tab")
        assert "heads " in seen(pilot)
        for _ in state_of(pilot).ranking:
            if state_of(pilot).selected.part.head is not None:
                break
            await do(pilot, "down")
        await do(pilot, "enter")
        assert state_of(pilot).view == "head"
        assert "from these tokens" in seen(pilot)
        before = state_of(pilot).selected
        await do(pilot, "right")
        assert state_of(pilot).selected != before
        await do(pilot, "down")
        assert state_of(pilot).token == 1


async def test_a_feed_forward_network_takes_nothing_from_other_tokens(tmp_path: Path) -> None:
    app = lab_app("why", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab", *["right"] * 20)
        assert state_of(pilot).selected.part.head is None
        assert "enter" not in pilot.app.screen.active_bindings
        await do(pilot, "enter")
        assert state_of(pilot).view == "map"
        await do(pilot, "tab")
        assert "works on the vector of the last token alone" in seen(pilot)


async def test_the_arrows_move_on_the_map(tmp_path: Path) -> None:
    app = lab_app("why", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab", *["down"] * 9, *["left"] * 9)
        part = state_of(pilot).selected.part
        assert (part.layer, part.head) == (0, 0)
        await do(pilot, "up", "right")
        part = state_of(pilot).selected.part
        assert (part.layer, part.head) == (1, 1)
        assert "layer  2  head 2" in seen(pilot)


async def test_a_token_can_be_added_to_the_table(tmp_path: Path) -> None:
    app = lab_app("why", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "a")
        editor(pilot).load("cat")
        await do(pilot, "enter", "enter")
        assert state_of(pilot).explained.text == " cat"
        assert "why ␣cat" in seen(pilot)


async def test_a_text_of_one_token(tmp_path: Path) -> None:
    app = lab_app("why", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, "The")
        await do(pilot, "shift+tab")
        assert "The token The can't be removed" in seen(pilot)


async def test_plain_mode_says_what_each_view_shows(tmp_path: Path) -> None:
    app = lab_app("why", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        said = {}
        for key in ("c", "tab", "tab", "tab", "tab"):
            await do(pilot, *([*PAIR] if key == "c" else [key]))
            lines = describe(LAB.name, state_of(pilot))
            said[state_of(pilot).view] = "\n".join(line for each in lines.values() for line in each)
    assert all("minus the logit of" in each for each in said.values())
    assert "Row 3: " in said["next"]
    assert "selected." in said["next"]
    assert "Selected: Rank 1 of " in said["parts"]
    assert said["map"] == said["parts"]
    assert "Rank 1 of " in said["head"]
    assert "the logit loses " in said["tokens"]
    assert "all heads together take " in said["tokens"]


def test_two_sided_bars_keep_the_axis_in_its_column() -> None:
    assert bars.two_sided(0.5, 4) == ("    ", "██  ")
    assert bars.two_sided(-0.5, 4) == ("  ██", "    ")
    assert bars.two_sided(-0.4, 4) == ("  ▐█", "    ")
    assert bars.two_sided(-1e-9, 4) == ("    ", "    ")
    assert bars.two_sided(-7.0, 4) == ("████", "    ")


def test_signed_cells_differ_without_color() -> None:
    values = (0.05, 0.1, 0.3, 1.0, 3.0)
    above = [heat.signed_cell(value, 2)[0] for value in values]
    below = [heat.signed_cell(-value)[0] for value in values]
    assert above == ["··", "░░", "▒▒", "▓▓", "██"]
    assert below == list("·-~xX")
    assert len(heat.signed_legend(40)) <= 40
