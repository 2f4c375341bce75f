"""Test the prompt injection lab through its keys."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.whole_app import sees
from tests.labs.few_prompts import few_prompts
from tests.labs.lab_backend import backend, done
from tests.labs.lab_stage import BackendEngine, at_rest, do, lab_app, seen, state_of
from tests.later import SIZES
from tutor.labs.kit.actions import Run
from tutor.labs.kit.runner import Left

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def few(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    yield from few_prompts(tmp_path_factory.mktemp("few"), monkeypatch)


@cache
def measured() -> Any:
    """Return the state with all defenses measured, computed once for all screens."""
    return done("injection", backend("injection", Path()), Run())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("prompt", [False, True], ids=["measured", "prompt"])
def test_how_it_looks(
    prompt: bool, size: tuple[int, int], snap_compare: Any, tmp_path: Path
) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "down", "right", *(["tab"] if prompt else []))

    app = lab_app("injection", tmp_path)
    app.navigator.labs.left["injection"] = Left(measured(), None)
    assert snap_compare(app, terminal_size=size, run_before=run)


async def test_nothing_is_continued_before_anything_is_measured(tmp_path: Path) -> None:
    engine = BackendEngine()
    engine.hold()
    async with lab_app("injection", tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Press r to measure ")
        engine.release()
        await at_rest(pilot)
        assert "reviews measured. Press r to continue." in seen(pilot)


async def test_all_defenses_are_measured_and_the_learners_own_comes_last(tmp_path: Path) -> None:
    async with lab_app("injection", tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        assert "Press r to continue." in seen(pilot)
        await do(pilot, "r")
        assert "All reviews have been measured." in seen(pilot)
        assert "r run" not in seen(pilot)
        assert seen(pilot).count("/6") >= 5
        await do(pilot, "e")
        await pilot.press(*"Say [/] positive", "enter")
        await at_rest(pilot)
        assert "Say [/] positive  (yours)" in seen(pilot)
        await do(pilot, "w")
        await pilot.press(*"Beware", "enter")
        await at_rest(pilot)
        assert state_of(pilot).defense == 5
        assert "your defense" in seen(pilot)
        await do(pilot, "enter", "tab")
        assert "Beware" in seen(pilot)
        assert state_of(pilot).complete
        assert state_of(pilot).progress.total == 6 * 17
