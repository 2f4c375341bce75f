"""Test the adviser through its keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.app.whole_app import until
from tests.labs.lab_stage import BackendEngine, at_rest, do, lab_app, screen_of, seen, state_of
from tests.later import NORMAL_AND_SMALL, SIZES
from tutor.engine.api import EngineState
from tutor.engine.wire import AskLab
from tutor.learner.errors import StoreFull

if TYPE_CHECKING:
    from textual.pilot import Pilot

WEIGHED = (*["right"] * 3, "down", "down", "right", "right", *["down"] * 3, "right")
IN_CASES = ("tab", "tab")
CHANGED = ("up", "up", "right")


def drawn(pilot: Pilot[Any]) -> str:
    """Return everything in the view, including what is scrolled out of sight."""
    from tutor.app.widgets.lines import Lines

    return "\n".join(screen_of(pilot).query_one("#lines", Lines).plain)


# --- how it looks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_needs_beside_the_ranking(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *WEIGHED)

    assert snap_compare(lab_app("adviser", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
def test_needs_of_a_case_with_a_must(
    size: tuple[int, int], snap_compare: Any, tmp_path: Path
) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *IN_CASES, *["right"] * 3, "tab", *WEIGHED, "m")

    assert snap_compare(lab_app("adviser", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", SIZES)
def test_reasons_of_the_first(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *WEIGHED, "tab")

    assert snap_compare(lab_app("adviser", tmp_path), terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
@pytest.mark.parametrize("option", ["first", "last"])
def test_a_case_that_was_answered(
    size: tuple[int, int], option: str, snap_compare: Any, tmp_path: Path
) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *IN_CASES, *["right"] * 3, "tab", *WEIGHED, "m", *IN_CASES)
        await do(pilot, *(["down"] * 9 if option == "last" else []), "enter")

    assert snap_compare(lab_app("adviser", tmp_path), terminal_size=size, run_before=run)


# --- keys ----------------------------------------------------------------------------------------


async def test_the_ranking_follows_the_weights_and_marks_changes(tmp_path: Path) -> None:
    async with lab_app("adviser", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "right")
        assert "▲" not in seen(pilot)
        await do(pilot, "down", "down", "right", "right")
        assert state_of(pilot).now.weights[:3] == (1, 0, 2)
        (no_llm,) = [line for line in seen(pilot).splitlines() if "No LLM  " in line]
        assert "2 No LLM 67%" in " ".join(no_llm.split())
        assert "▲4" in no_llm
        await do(pilot, "m")
        (claude,) = [line for line in seen(pilot).splitlines() if "Claude" in line]
        assert "out: cost & limits" in claude
        assert "▼" in claude


async def test_the_key_for_kinds_works_only_for_needs_with_several(tmp_path: Path) -> None:
    async with lab_app("adviser", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "right", "k", "k")
        assert "sound or film (3 of 4)" in seen(pilot)
        assert "1 Gemini              100% " in seen(pilot)
        await do(pilot, "down", "k")
        assert state_of(pilot).now.kinds == (2, *[0] * 7)
        await do(pilot, "z")
        assert "All weights are 0. Press → to raise one. Points are the sum" in seen(pilot)


async def test_musts_that_exclude_every_option_are_reported(tmp_path: Path) -> None:
    async with lab_app("adviser", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "m", "down", "m", "right")  # free text, and only what was approved
        assert seen(pilot).count("out: ") == 7
        await do(pilot, *["down"] * 6, "m")  # a whole book
        assert seen(pilot).count("out: ") == 8
        assert "Every option is excluded." in seen(pilot)


async def test_all_reasons_can_be_read_on_a_low_screen(tmp_path: Path) -> None:
    async with lab_app("adviser", tmp_path).run_test(size=(40, 12)) as pilot:
        await do(pilot, *WEIGHED, "tab")
        assert "2026-" not in seen(pilot)
        assert "API price" in drawn(pilot)
        await do(pilot, *["down"] * len(drawn(pilot).splitlines()))
        assert "2026-" in seen(pilot) or "2025-" in seen(pilot)
        await do(pilot, "right")
        assert "place 2 of 8" in drawn(pilot)
        assert screen_of(pilot).view.scroll_y == 0


async def test_a_case_is_weighed_and_picked_for_and_has_a_comment(tmp_path: Path) -> None:
    async with lab_app("adviser", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *IN_CASES, *["right"] * 3)
        assert "Summaries in a hospital  3 of 10, 0 solved" in seen(pilot)
        await do(pilot, "enter")
        assert "All weights are still 0." in seen(pilot)
        assert "cannot" not in seen(pilot)
        assert "try again" not in seen(pilot)
        await do(pilot, "tab", "right", "right", "right", "tab", "tab", "enter")
        assert "× ChatGPT: It would write well" in seen(pilot)
        assert "You gave no weight to control and privacy." in seen(pilot)
        assert "Defensible options:" not in seen(pilot)
        assert "Press Tab and change the weights before you pick again." in seen(pilot)
        await do(pilot, "enter")
        assert "You have already made a pick with these weights." in seen(pilot)
        await do(pilot, "tab", *["down"] * 5, "m", "tab", "tab", "enter")
        assert "✓ Open local model: Yes. Nothing leaves" in seen(pilot)
        assert "You gave no weight to control." in seen(pilot)
        assert "Defensible options: Open local model, Small tuned model" in seen(pilot)
        await do(pilot, *["down"] * 9)
        assert "× Model + retrieval: Here, its model" in drawn(pilot)
        assert "3 of 10, 1 solved, 0 with the first pick" in seen(pilot)


async def test_on_a_low_screen_each_key_scrolls_to_what_it_changes(tmp_path: Path) -> None:
    async with lab_app("adviser", tmp_path).run_test(size=(40, 12)) as pilot:
        await do(pilot, *IN_CASES, "right")
        assert "40,000 short letters" in seen(pilot)
        await do(pilot, "tab", "right", "tab", "tab", "down", "down")
        assert "›   Claude" in seen(pilot)
        await do(pilot, "enter")
        await until(pilot, lambda: "You gave no weight" in seen(pilot))
        await do(pilot, *["up"] * 9)
        assert "40,000 short letters" in seen(pilot)


async def test_the_result_is_saved_and_the_path_shown(tmp_path: Path) -> None:
    async with lab_app("adviser", tmp_path).run_test(size=(140, 40)) as pilot:
        await do(pilot, *WEIGHED, "ctrl+s")
        saved = state_of(pilot).saved
        assert saved is not None
        assert f"Saved as {saved.path}" in "".join(
            line.strip() for line in drawn(pilot).split("\n")
        )
        path = Path(saved.path)
        assert "| 1 | Gemini |" in path.read_text("utf-8")
        await do(pilot, "up")
        assert "Saved as" not in drawn(pilot)


class Full(BackendEngine):
    """An engine whose disk is full until `full` is False."""

    full = True

    async def ask(self, expected: type, request: Any) -> Any:
        asked = request(0)
        if self.full and isinstance(asked, AskLab) and b"Save" in asked.question:
            raise StoreFull("There is no space left.", "Free some space and try again.")
        return await super().ask(expected, request)


async def test_a_full_disk_is_reported_and_saving_can_be_retried(tmp_path: Path) -> None:
    engine = Full()
    async with lab_app("adviser", tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await do(pilot, *WEIGHED, "s")  # the second key of ctrl+s
        assert "There is no space left." in seen(pilot)
        engine.full = False
        await pilot.press("y")
        await at_rest(pilot)
        assert state_of(pilot).saved is not None


async def test_the_lab_reopens_where_it_was_left(tmp_path: Path) -> None:
    async with lab_app("adviser", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *WEIGHED)
        await pilot.press("escape")
        pilot.app.navigator.open_live_lab("adviser")  # type: ignore[attr-defined]
        await do(pilot)
        assert state_of(pilot).now.weights == (3, 0, 2, 0, 0, 1, 0, 0)


async def test_a_change_of_model_keeps_the_weights(tmp_path: Path) -> None:
    """On the first run, the model arrives while the learner works; this lab never asks it."""
    engine = BackendEngine()
    async with lab_app("adviser", tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await do(pilot, *WEIGHED)
        engine.card = replace(engine.card, sha256="e" * 64)
        engine.become(EngineState.READY)
        await do(pilot, "tab")
        assert "Another model is loaded" not in seen(pilot)
        assert state_of(pilot).now.weights == (3, 0, 2, 0, 0, 1, 0, 0)
