"""Test the steering lab through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from tests.app.pressing import tap
from tests.labs.lab_stage import do, editor, lab_app, screen_of, seen, state_of, write
from tests.later import later
from tutor.app.widgets.lines import Lines
from tutor.labs.steer.state import VIEWS
from tutor.lm.saved_steering import folder_of_learner

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_vectors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let each test have saved vectors of its own."""
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))


TURNED = ("down", "down", *("left",) * 4)


@pytest.mark.parametrize("view", [*VIEWS[:2], *later(VIEWS[2:4])])
def test_how_it_looks(view: str, snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *TURNED, *["tab"] * VIEWS.index(view))

    assert snap_compare(lab_app("steer", tmp_path), terminal_size=(80, 24), run_before=run)


def test_how_it_looks_on_a_small_screen(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *TURNED)

    assert snap_compare(lab_app("steer", tmp_path), terminal_size=(40, 12), run_before=run)


async def test_the_arrows_turn_the_dials_and_the_table_follows(tmp_path: Path) -> None:
    async with lab_app("steer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "down", "right", "right")
        state = state_of(pilot)
        assert (state.layer, state.strength) == (4, 0.5)
        assert "strength +0.50" in seen(pilot)
        assert f"{state.next.after.bits:.3f} bits" in seen(pilot)
        assert f"{state.perplexities[1]:.1f}" in seen(pilot)
        await do(pilot, "up", "left", "z")
        assert (state_of(pilot).layer, state_of(pilot).dial) == (5, 0)


async def test_a_pending_perplexity_says_that_goals_wait_for_it(tmp_path: Path) -> None:
    async with lab_app("steer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "left")
        assert "goals count" not in seen(pilot)
        view = screen_of(pilot).view
        view.show(replace(state_of(pilot), costs={}))
        lines = view.query_one("#lines", Lines).text
        assert "goals count once this is known" in lines
        await do(pilot, "g")
        assert "its perplexity is the number of equally probable" in " ".join(seen(pilot).split())


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_mark_below_the_layers_follows_the_selected_layer(
    size: tuple[int, int], tmp_path: Path
) -> None:
    def column(pilot: Any) -> int:
        return next(line.index("▲") for line in seen(pilot).split("\n") if "▲" in line)

    async with lab_app("steer", tmp_path).run_test(size=size) as pilot:
        await do(pilot, "tab", "tab", "tab")
        assert not pilot.app.screen.query_one("#view").show_vertical_scrollbar
        columns = [column(pilot)]
        for _layer in range(state_of(pilot).layer):
            await do(pilot, "down")
            columns.append(column(pilot))
        assert columns == sorted(set(columns), reverse=True)


async def test_lists_words_and_prompt_can_be_edited(tmp_path: Path) -> None:
    async with lab_app("steer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "1")
        await tap(pilot, "up")  # The shipped list is the example.
        assert editor(pilot).text.splitlines() == list(state_of(pilot).lists.first)
        editor(pilot).load("It is warm\nThe sun is hot")
        await do(pilot, "enter", "2")
        editor(pilot).load("It is cold")
        await do(pilot, "enter")
        assert "too few sentences" in seen(pilot)
        editor(pilot).load("It is cold\nThe ice is cold")
        await do(pilot, "enter", "w")
        editor(pilot).load("hot warm; cold")
        await do(pilot, "enter")
        await write(pilot, "The water is")
        state = state_of(pilot)
        assert state.lists.second == ("It is cold", "The ice is cold")
        assert (state.names, state.prompt) == (("hot", "cold"), "The water is")
        assert "your own lists" in seen(pilot)
        assert "hot words" in seen(pilot)
        await do(pilot, "x")
        assert state_of(pilot).own is None
        await do(pilot, "u")
        assert state_of(pilot).prompt == "The water is"


async def test_both_texts_are_shown_side_by_side(tmp_path: Path) -> None:
    async with lab_app("steer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *TURNED, "tab")
        state = state_of(pilot)
        assert state.reply(0).done
        assert state.reply(-4).done
        assert "unsteered, greedy" in seen(pilot)
        await do(pilot, "s")
        assert "sampled, seed 2" in seen(pilot)
        await do(pilot, "t")
        assert "unsteered, greedy" in seen(pilot)


async def test_a_vector_is_saved_and_deleted(tmp_path: Path) -> None:
    async with lab_app("steer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "ctrl+s")
        editor(pilot).load("a/b")
        await do(pilot, "enter")
        assert "can't be the name" in seen(pilot)
        editor(pilot).load("kind")
        await do(pilot, "enter")
        assert [each.name for each in state_of(pilot).saved] == ["kind"]
        assert "› kind" in seen(pilot)
        await do(pilot, "ctrl+s")
        editor(pilot).load("kind")
        await do(pilot, "enter")
        assert "already saved as 'kind'" in seen(pilot)
        await do(pilot, "escape")
        await do(pilot, "d")
        assert "No vectors are saved." in seen(pilot)
        assert "The vector “kind” was deleted. Press u to undo." in seen(pilot)


async def test_a_deleted_vector_comes_back(tmp_path: Path) -> None:
    async with lab_app("steer", tmp_path).run_test(size=(80, 24)) as pilot:
        for name in ("kind", "warm"):
            await do(pilot, "ctrl+s")
            editor(pilot).load(name)
            await do(pilot, "enter")
        folder = folder_of_learner()
        files = {path: path.read_bytes() for path in folder.iterdir()}
        assert len(files) == 2
        await do(pilot, "down", "d")
        assert [each.name for each in state_of(pilot).saved] == ["kind"]
        await do(pilot, "tab", "u")  # A change of the view keeps the undo.
        state = state_of(pilot)
        assert (state.view, state.row) == ("saved", 1)
        assert [each.name for each in state.saved] == ["kind", "warm"]
        assert {path: path.read_bytes() for path in folder.iterdir()} == files


async def test_undo_is_as_fast_as_the_key(tmp_path: Path) -> None:
    """Undo brings the file back whether or not the engine has already deleted it."""
    async with lab_app("steer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "ctrl+s")
        editor(pilot).load("kind")
        await do(pilot, "enter")
        await pilot.press("d", "u", "d", "u")
        await do(pilot, "tab", "shift+tab")
        assert [each.name for each in state_of(pilot).saved] == ["kind"]


async def test_a_deleted_vector_comes_back_after_a_reset(tmp_path: Path) -> None:
    async with lab_app("steer", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "ctrl+s")
        editor(pilot).load("kind")
        await do(pilot, "enter", "d", "z", "u")
        assert [each.name for each in state_of(pilot).saved] == ["kind"]


async def test_a_vector_that_cannot_be_saved_is_reported_in_the_list(tmp_path: Path) -> None:
    app = lab_app("steer", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "ctrl+s")
        editor(pilot).load("kind")
        with patch("tutor.private.replace_file", side_effect=PermissionError(13, "Denied")):
            await do(pilot, "enter")
        assert "could not be saved: Denied." in seen(pilot)
        assert "No vectors are saved." in seen(pilot)
        await do(pilot, "tab", "right", "right")
        assert state_of(pilot).next.after.bits > 0
