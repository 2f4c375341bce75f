"""Test what learners see of a shared engine, and how they switch to one of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.app.explorer.explorer_stage import settled, shown
from tests.app.pressing import tap
from tests.app.whole_app import keys, sees, until, whole_app
from tests.engine.fake_engine import CARD, CONTEXT, FakeEngine
from tutor.app.background.keeper import OWN_ENGINE, ModelKeeper
from tutor.errors import NotEnoughMemory

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.app import TutorApp

SMALL = 8


def shared_engine(context: int = 128) -> FakeEngine:
    engine = FakeEngine(card=replace(CARD, context=context))
    engine.served, engine.alternative, engine.connected = True, "own", 3
    return engine


def words(app: TutorApp) -> str:
    return " ".join(shown(app).split())


async def test_the_status_line_says_that_the_engine_is_shared(tmp_path: Path) -> None:
    app = whole_app(tmp_path, shared_engine())
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "shared by 3 learners · 128 tokens ●")


async def test_o_chooses_ones_own_engine_and_the_shared_one_again(tmp_path: Path) -> None:
    engine = shared_engine()
    app = whole_app(tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "shared by 3 learners")
        await keys(pilot, "m")
        await sees(pilot, "o own engine")
        assert "3 learners use it now" in words(app)
        assert "TUTOR_ENGINE=own" in words(app)
        app.keeper._free_memory = lambda: None
        await keys(pilot, "o")
        await sees(pilot, f"{CARD.name} ●")
        assert engine.chosen == ["own"]
        await sees(pilot, "o shared engine")
        await keys(pilot, "o")
        await sees(pilot, "shared by 3 learners")
        assert engine.chosen == ["own", "shared"]


async def test_a_login_that_must_share_is_not_offered_its_own_engine(tmp_path: Path) -> None:
    engine = shared_engine()
    engine.alternative = None
    app = whole_app(tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "shared by 3 learners")
        await keys(pilot, "m")
        await sees(pilot, "This engine is shared: 3 learners use it now.")
        assert "own engine" not in words(app)
        await keys(pilot, "o")
        assert engine.chosen == []


async def test_too_little_memory_for_an_own_engine_is_reported() -> None:
    engine = shared_engine()
    keeper = ModelKeeper(
        engine, lambda _: None, missing=lambda: False, free_memory=lambda: OWN_ENGINE - 1
    )
    with pytest.raises(NotEnoughMemory, match="needs about 700 MB"):
        await keeper.choose_engine("own")
    assert engine.chosen == []
    await keeper.choose_engine("shared")
    assert engine.chosen == ["shared"]


async def test_a_text_that_a_shared_engine_cannot_hold_says_why_and_what_to_do(
    tmp_path: Path,
) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.model_status.ready)
        app.navigator.open_place("step")
        await settled(pilot)
        await tap(pilot, *["1"] * 6)
        await settled(pilot)
        await keys(pilot, "escape")
    engine = shared_engine(SMALL)
    app = whole_app(tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.model_status.ready)
        app.navigator.open_place("step")
        await sees(pilot, "This text has 11 tokens, but the shared engine processes only 8.")
        assert "press m and then o" in words(app)
        await tap(pilot, "r")
        await settled(pilot)
        assert "running" not in shown(app)
        await tap(pilot, *["left"] * 3)
        await settled(pilot)
        assert "instead of" in shown(app)
        assert "◆" in shown(app)
        assert "but the shared engine" not in words(app)
        await tap(pilot, "0")
        await settled(pilot)
        await engine.choose("own")
        await settled(pilot)
        assert "next token  entropy" in shown(app)
        assert f"11 of {CONTEXT} tokens" in shown(app)
