"""Test the scale ladder through its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.app.whole_app import until
from tests.labs.lab_stage import BackendEngine, at_rest, do, lab_app, screen_of, seen, state_of
from tests.later import SIZES
from tests.tiny_gguf import write_gguf
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.progress import Coming
from tutor.labs.kit.runner import Left
from tutor.labs.scale.lab import State, act
from tutor.labs.scale.questions import Guess, Reading
from tutor.labs.scale.rungs import SMOLLM2_TOKENS

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.app import TutorApp


def read_by_three(**changes: Any) -> State:
    """Return a state with invented readings by three models."""
    best = tuple(Guess(f" w{place}".encode(), 0.4 / 2**place) for place in range(8))
    yours = Reading("yours", 301_728, 1_206_912, 512_000, 369, 369, 1120.3, 1.22, best)
    small = Reading("small-model", 5_328_128, 10_662_304, 10_752_000, 102, 369, 728.7, 6.18, best)
    large = Reading(
        "SmolLM2-135M-Instruct", 134_515_008, 98_362_432, SMOLLM2_TOKENS, 79, 369, 448.9, 5.32, best
    )
    readings = {"yours": yours, "small": small, "loaded": large}
    return msgspec.structs.replace(State(), readings=readings, **changes)


def opened(folder: Path, state: State) -> TutorApp:
    app = lab_app("scale", folder)
    app.navigator.labs.left["scale"] = Left(state, None)
    return app


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["text", "ladder"])
def test_how_it_looks(size: tuple[int, int], view: Any, snap_compare: Any, tmp_path: Path) -> None:
    app = opened(tmp_path, read_by_three(view=view, rung=3))
    assert snap_compare(app, terminal_size=size, run_before=at_rest)


async def test_the_learners_own_text_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    async with lab_app("scale", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", *"abc", "enter")
        reading = state_of(pilot).readings["loaded"]
        assert reading.byte_count == 3
        assert f"{reading.bits_a_byte:.3f}" in seen(pilot)
        assert "Train a network in the training lab" in seen(pilot)
        await do(pilot, "z")
        assert "No one on the island" in seen(pilot)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
@pytest.mark.parametrize("how", ["read", "coming", "refused"])
def test_how_another_model_looks(
    how: str, size: tuple[int, int], snap_compare: Any, tmp_path: Path
) -> None:
    state = read_by_three(others=("Qwen2.5-0.5B",), other="Qwen2.5-0.5B")
    new = msgspec.structs.replace
    match how:
        case "read":
            small = state.readings["small"]
            assert small is not None
            large = Reading(
                "Qwen2.5-0.5B", 494_032_768, 397_807_936, None, 79, 369, 402.1, 4.91, small.best
            )
            state = new(state, readings={**state.readings, "other": large})
        case "coming":
            state = new(state, coming=Coming("packing the weights", 120, 400, 12.0))
        case "refused":
            needed = "The model needs about 9.0 GB of memory, but only 2.1 GB are free."
            why = f"{needed} Close other programs."
            state = new(state, refused=why)

    async def run(pilot: Any) -> None:
        working = "working…" if how == "coming" else ""
        await until(pilot, lambda: "bits/byte" in seen(pilot))
        await until(pilot, lambda: screen_of(pilot).aside == working)
        await pilot.pause()

    engine = BackendEngine()
    engine.hold()
    app = lab_app("scale", tmp_path, engine)
    app.navigator.labs.left["scale"] = Left(state, None)
    assert snap_compare(app, terminal_size=size, run_before=run)


async def test_another_model_is_added_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "models").mkdir(parents=True)
    write_gguf(tmp_path / "data" / "models" / "another.gguf")
    async with lab_app("scale", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "Press o to add another model: another" in seen(pilot)
        await do(pilot, "o")
        assert state_of(pilot).readings["other"].pieces > 0
        assert " another " in seen(pilot)
        await do(pilot, "o")
        assert "Press o to add another model: another" in seen(pilot)


async def test_the_ladder_shows_sources(tmp_path: Path) -> None:
    async with opened(tmp_path, read_by_three()).run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "down", "down", "down", "down")
        assert "GPT-3 (2020), published: Brown et al. 2020" in seen(pilot)
        await do(pilot, *("down",) * 9, "up")
        assert "GPT-4 (2023), estimate: OpenAI published nothing" in seen(pilot)


async def test_a_text_that_was_cut_is_reported(tmp_path: Path) -> None:
    cut = act(State(), EditText("x" * 700))
    readings = read_by_three().readings
    state = msgspec.structs.replace(cut, readings=readings)
    async with opened(tmp_path, state).run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "Text too long: 100 bytes cut off." in seen(pilot)
