"""Test the prompting lab through its keys."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.events import Key

from tests.labs.few_prompts import few_prompts
from tests.labs.lab_backend import backend, done
from tests.labs.lab_stage import BackendEngine, at_rest, do, lab_app, seen, state_of
from tests.later import SIZES
from tutor.labs.kit.actions import Adjust, Run
from tutor.labs.kit.runner import Left
from tutor.labs.prompting.lab import VIEWS, View

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def few(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    yield from few_prompts(tmp_path_factory.mktemp("few"), monkeypatch)


@cache
def scored() -> Any:
    """Return the state with both versions scored, computed once for all screens."""
    there = backend("prompting", Path())
    return done("prompting", there, *[Adjust(1, "focus")] * 2, Run())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_how_it_looks(view: View, size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *["tab"] * VIEWS.index(view))

    app = lab_app("prompting", tmp_path)
    app.navigator.labs.left["prompting"] = Left(scored(), None)
    assert snap_compare(app, terminal_size=size, run_before=run)


async def test_a_part_is_changed_and_both_versions_are_scored(tmp_path: Path) -> None:
    async with lab_app("prompting", tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "A and B are the same" in seen(pilot)
        await do(pilot, "right", "right")
        assert "≠ 2" in seen(pilot)
        await do(pilot, "r")
        assert "Both versions are scored." in seen(pilot)
        assert "of 4" in seen(pilot)
        assert "(sign test)" in seen(pilot)
        await do(pilot, "tab", "down")
        assert "first token" in seen(pilot)
        assert state_of(pilot).item == 1
        await do(pilot, "tab")
        assert "tokens in the prompt" in seen(pilot)
        assert "<|im_start|>" in seen(pilot)
        await do(pilot, "tab", "b", "l")
        assert state_of(pilot).sides[0] == state_of(pilot).sides[1]


async def test_an_edited_part_asks_for_a_new_answer(tmp_path: Path) -> None:
    async with lab_app("prompting", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, *["up"] * 6)  # the role
        await do(pilot, "e")
        await pilot.press(*"Be [b]bold.", "enter")
        await at_rest(pilot)
        assert state_of(pilot).version.role == "Be [b]bold."
        assert "Be [b]bold." in seen(pilot)
        assert state_of(pilot).tried(1, 0) is not None
        await do(pilot, "c")
        assert state_of(pilot).version.role == ""
        await do(pilot, "n")
        assert "One word: the capital" in seen(pilot)


async def test_a_run_can_be_stopped(tmp_path: Path) -> None:
    engine = BackendEngine()
    app = lab_app("prompting", tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        app.post_message(Key("enter", None))  # `press` would wait until all is scored
        while state_of(pilot).progress.done < 3:
            await asyncio.sleep(0)
        engine.hold()
        await pilot.press("r")
        await at_rest(pilot)
        assert "Press r to score the rest." in seen(pilot)
        engine.release()
        await do(pilot, "r")
        assert "Both versions are scored." in seen(pilot)
        assert "r run" not in seen(pilot)
