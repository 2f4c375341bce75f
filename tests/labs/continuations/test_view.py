"""Test the keys and the pictures of the continuations lab."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.events import Key

from tests.labs.lab_stage import BackendEngine, at_rest, do, impatient, lab_app, seen, state_of
from tests.later import SIZES
from tutor.labs.continuations import lab

if TYPE_CHECKING:
    from pathlib import Path


LAB = msgspec.structs.replace(lab.LAB, start=partial(lab.start, lab.Limits(count=4, length=8)))


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "r", "down")

    assert snap_compare(lab_app(LAB, tmp_path), terminal_size=size, run_before=run)


async def test_both_sides_are_generated_and_shown(tmp_path: Path) -> None:
    async with lab_app(LAB, tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "Press r to generate both sides." in seen(pilot)
        await do(pilot, "enter")
        assert "Done. Press s for a new seed." in seen(pilot)
        assert "r run" not in seen(pilot)
        assert "probability" in seen(pilot)
        await do(pilot, "r", "enter")
        assert state_of(pilot).seed == 1
        await do(pilot, "s")
        assert state_of(pilot).seed == 2
        await do(pilot, "tab", "right", "right")
        assert "beam search" in seen(pilot)
        assert state_of(pilot).shown == ()


async def test_generating_can_be_stopped_and_continued(tmp_path: Path) -> None:
    engine = BackendEngine(impatient)
    app = lab_app(LAB, tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        app.post_message(Key("r", "r"))  # `press` would wait until everything is generated
        while not state_of(pilot).written.done:
            await asyncio.sleep(0)
        engine.hold()
        await pilot.press("r")
        await at_rest(pilot)
        assert "Press r to continue." in seen(pilot)
        engine.release()
        await do(pilot, "r")
        assert "Done." in seen(pilot)


async def test_texts_that_a_key_removes_or_hides_come_back(tmp_path: Path) -> None:
    async with lab_app(LAB, tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "r")
        before = state_of(pilot)
        await do(pilot, "right")
        tokens = sum(len(path.ids) for path in before.paths[0])
        assert f"The {tokens} tokens of “plain” are kept. Press u to undo." in seen(pilot)
        await do(pilot, "down", "u")  # moving the focus does not end the undo
        assert state_of(pilot) == before
        await do(pilot, "s")
        assert "The texts with seed 1 were removed. Press u to undo." in seen(pilot)
        await do(pilot, "u")
        assert state_of(pilot) == before
        await do(pilot, "e", "x", "enter")
        assert "The texts for the earlier prompt were removed. Press u to undo." in seen(pilot)
        await do(pilot, "u")
        assert state_of(pilot) == before


async def test_a_new_seed_works_at_any_time(tmp_path: Path) -> None:
    async with lab_app(LAB, tmp_path, BackendEngine(impatient)).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "s" in pilot.app.screen.active_bindings
        await do(pilot, "s")
        assert state_of(pilot).seed == 2
        assert state_of(pilot).finished
        await do(pilot, "right", "s")
        assert state_of(pilot).seed == 3
        assert state_of(pilot).finished
