"""Test the certainty lab with its keys."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.events import Key

from tests.app.pressing import tap
from tests.labs.lab_stage import (
    BackendEngine,
    at_rest,
    do,
    editor,
    impatient,
    lab_app,
    seen,
    state_of,
)
from tests.later import NORMAL_AND_SMALL
from tutor.engine.api import EngineState
from tutor.labs.certainty import lab
from tutor.labs.certainty.real_and_invented import items
from tutor.labs.certainty.surprise import surprising

if TYPE_CHECKING:
    from pathlib import Path

FEW = tuple(item for item in items() if item.kind == "places")[1::2]


LAB = msgspec.structs.replace(
    lab.LAB, start=partial(lab.start, lab.Limits(items=FEW, draws=4, length=12))
)
SHOWN = {
    "answer": ("r",),
    "calibration": ("tab", "r"),
    "ways": ("tab", "tab", "enter"),
}


@pytest.mark.parametrize("keys", SHOWN.values(), ids=SHOWN)
@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
def test_how_it_looks(
    size: tuple[int, int], keys: tuple[str, ...], snap_compare: Any, tmp_path: Path
) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *keys)

    assert snap_compare(lab_app(LAB, tmp_path), terminal_size=size, run_before=run)


def test_how_it_looks_on_a_wide_screen(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "w", "enter")

    assert snap_compare(lab_app(LAB, tmp_path), terminal_size=(140, 40), run_before=run)


async def test_an_answer_its_verdict_and_ten_draws(tmp_path: Path) -> None:
    async with lab_app(LAB, tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "nothing with this name exists" in seen(pilot)
        assert "Press r to sample 4 answers." in seen(pilot)
        assert "r sample ten" in seen(pilot)
        await do(pilot, "r")
        assert "s new seed" in seen(pilot)
        assert "of 4 agree" in seen(pilot)
        drawn = state_of(pilot).draws[state_of(pilot).prompt]
        await do(pilot, "right", "left")
        assert state_of(pilot).draws[state_of(pilot).prompt] == drawn  # samples are kept
        await do(pilot, "r", "enter")  # must not discard the samples
        assert (state_of(pilot).draws[state_of(pilot).prompt], state_of(pilot).seed) == (drawn, 1)
        await do(pilot, "s")
        assert state_of(pilot).seed == 2
        await do(pilot, "w")
        assert "with the fact" in seen(pilot)
        assert "fact: " in seen(pilot)
        await do(pilot, "w")
        assert "system:" in seen(pilot)


async def test_the_learners_own_question_is_not_judged(tmp_path: Path) -> None:
    app = lab_app(LAB, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        editor(pilot).load("What is the capital of Egypt?")
        await do(pilot, "enter")
        assert "your own question" in seen(pilot)
        assert "Your own question isn't checked" in seen(pilot)
        await do(pilot, "right")
        assert state_of(pilot).own == ""


async def test_a_run_over_the_set_can_be_stopped_and_continued(tmp_path: Path) -> None:
    engine = BackendEngine(impatient)
    app = lab_app(LAB, tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab")
        app.post_message(Key("enter", None))  # `press` would wait until all are answered
        while lab.progress(state_of(pilot)).done < 2:
            await asyncio.sleep(0)
        engine.hold()
        assert "r stop" in seen(pilot)
        await pilot.press("r")
        await at_rest(pilot)
        assert "Press r to ask the rest." in seen(pilot)
        assert "r ask the rest" in seen(pilot)
        engine.release()
        await do(pilot, "r")
        assert f"All {len(FEW)} questions are answered." in seen(pilot)
        assert "expected calibration error" in seen(pilot)


async def test_a_run_goes_on_in_every_view(tmp_path: Path) -> None:
    engine = BackendEngine(impatient)
    app = lab_app(LAB, tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab")
        assert "r ask the rest" in seen(pilot)  # the first view has asked one already
        app.post_message(Key("enter", None))
        while lab.progress(state_of(pilot)).done < 2:
            await asyncio.sleep(0)
        engine.hold()
        await tap(pilot, "tab")
        assert state_of(pilot).running == ("plain",)
        await tap(pilot, "tab")
        assert state_of(pilot).view == "answer"
        assert f"Asking the set: {lab.progress(state_of(pilot)).done} of {len(FEW)}" in seen(pilot)
        assert "r stop" in seen(pilot)
        engine.release()
        await at_rest(pilot)
        assert lab.LAB.reached(state_of(pilot)) >= {"calibrated"}


@pytest.mark.slow
async def test_three_ways_are_counted_apart(tmp_path: Path) -> None:
    async with lab_app(LAB, tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "tab", "tab")
        assert "·" in seen(pilot)
        await do(pilot, "enter")
        text = seen(pilot)
        for words in ("real things", "invented things", "plain", "may decline"):
            assert words in text
        assert "in higher precision" in " ".join(text.split())
        assert not state_of(pilot).running


def test_a_character_of_two_tokens_goes_to_the_token_that_completes_it() -> None:
    lines = surprising([b"caf", b"\xc3", b"\xa9!"], [0.0, 1.0, 9.0], 20, 2)
    assert lines[0].plain == "café!"
    assert len(lines[1].plain) == len("café!")
    (text, _), more = surprising([b"one ", b"two ", b"three"], [1.0] * 3, 9, 1), "…"
    assert text.plain.endswith(more)


async def test_samples_are_kept_by_question_and_a_new_seed_can_be_undone(tmp_path: Path) -> None:
    engine = BackendEngine(impatient)
    async with lab_app(LAB, tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        engine.hold()
        await tap(pilot, "r", "right")  # another question, while samples are drawn
        engine.release()
        await at_rest(pilot)
        assert "Press r to sample 4 answers." in seen(pilot)
        await do(pilot, "left")
        samples = state_of(pilot).draws
        assert len(samples[state_of(pilot).prompt]) == 4
        await do(pilot, "s")
        assert "The samples with the earlier seed were removed. Press u to undo." in seen(pilot)
        assert state_of(pilot).draws != samples
        await do(pilot, "u")
        assert state_of(pilot).draws == samples
        assert "u undo" not in seen(pilot)


async def test_leaving_ones_own_question_can_be_undone(tmp_path: Path) -> None:
    async with lab_app(LAB, tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", *"Why", "enter", "right")
        assert "Your own question was removed. Press u to undo." in seen(pilot)
        await do(pilot, "u")
        assert state_of(pilot).own == "Why"


@pytest.mark.slow
async def test_the_whole_answer_is_visible_on_a_small_screen(tmp_path: Path) -> None:
    async with lab_app("certainty", tmp_path).run_test(size=(40, 12)) as pilot:
        await at_rest(pilot)
        shown = seen(pilot)
        for word in state_of(pilot).reply.text.split():
            assert word in shown
        assert "certainty" in shown
        assert "Press r to sample 10 answers." in shown
        await do(pilot, "r")
        assert "of 10 agree" in seen(pilot)


async def test_samples_are_there_in_the_next_session(tmp_path: Path) -> None:
    async with lab_app(LAB, tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "r")
        before = state_of(pilot)
        await pilot.press("ctrl+q")
    engine = BackendEngine()
    async with lab_app(LAB, tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert (state_of(pilot).answers, state_of(pilot).draws) == (before.answers, before.draws)
        assert "AskLab" not in engine.calls
        engine.card = msgspec.structs.replace(engine.card, sha256="another")
        engine.become(EngineState.READY)
        await at_rest(pilot)
        assert "Another model was loaded" in seen(pilot)
        assert not state_of(pilot).draws
    async with lab_app(LAB, tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert (state_of(pilot).answers, state_of(pilot).draws) == (before.answers, before.draws)
