"""Test the tour: who sees it, what it shows, and that it never waits for the model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from msgspec.structs import replace

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.engine.fake_engine import FakeEngine
from tests.sample_course import LESSON
from tutor.app.home.screen import HomeScreen
from tutor.engine.api import EngineState
from tutor.errors import ContextFull
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState
from tutor.models.report import Pulled
from tutor.study.newcomer import TOUR_SEEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.app.app import TutorApp
    from tutor.models.report import PullProgress

SIZE = (80, 24)


def on(pilot: Pilot[Any], kind: type[object]) -> bool:
    return isinstance(cast("TutorApp", pilot.app).screen, kind)


async def test_a_new_learner_sees_four_screens_once(tmp_path: Path) -> None:
    async with whole_app(tmp_path, tour=True).run_test(size=SIZE) as pilot:
        for number in (1, 2, 3, 4):
            await sees(pilot, f"tour · {number} of 4")
            await keys(pilot, "enter")
        await sees(pilot, "› Begin")
    assert Progress.open(tmp_path).setting(TOUR_SEEN) is True
    async with whole_app(tmp_path, tour=True).run_test(size=SIZE) as pilot:
        await sees(pilot, "› Begin")
        assert on(pilot, HomeScreen)


async def test_escape_skips_the_tour_for_good_and_i_brings_it_back(tmp_path: Path) -> None:
    async with whole_app(tmp_path, tour=True).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "escape")
        await sees(pilot, "› Begin")
    async with whole_app(tmp_path, tour=True).run_test(size=SIZE) as pilot:
        await sees(pilot, "› Begin")
        await keys(pilot, "question_mark")
        await sees(pilot, "See the one-minute tour again.")
        await keys(pilot, "escape", "i")
        await sees(pilot, "tour · 1 of 4")


async def test_a_learner_with_progress_sees_no_tour(tmp_path: Path) -> None:
    Progress.open(tmp_path).save_lesson(LessonState(lesson=LESSON.id, seen=("question",)))
    async with whole_app(tmp_path, tour=True).run_test(size=SIZE) as pilot:
        await sees(pilot, "› Continue")
        assert on(pilot, HomeScreen)


async def test_who_opens_a_lab_by_name_sees_no_tour(tmp_path: Path) -> None:
    async with whole_app(tmp_path, tour=True, lab="tokens").run_test(size=SIZE) as pilot:
        await sees(pilot, "lab · Tokens")
        await keys(pilot, "escape")
        await sees(pilot, "› Begin")


async def test_tokens_are_taken_from_the_live_distribution(tmp_path: Path) -> None:
    async with whole_app(tmp_path, tour=True).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "␣Paris")
        await keys(pilot, "1")
        await sees(pilot, "The capital of France is Paris▏")
        await until(pilot, lambda: "1  ," in shown(pilot.app))
        await keys(pilot, "left")
        await sees(pilot, "Welcome to tutor")


async def test_signs_in_the_distribution_are_explained(tmp_path: Path) -> None:
    async with whole_app(tmp_path, tour=True).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "␣Paris")
        await keys(pilot, "1")
        await sees(pilot, "<|im_end|> marks where a message begins or ends.")
        assert "line break" not in shown(pilot.app)
        assert "takes the token in that row" in shown(pilot.app)
        assert "below" not in shown(pilot.app)
        await keys(pilot, "4")
        await sees(pilot, "⏎ is a line break.")
        assert "marks where" not in shown(pilot.app)


async def test_without_a_model_the_tour_goes_on(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.hold()
    async with whole_app(tmp_path, engine, tour=True).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "The model is loading.")
        await keys(pilot, "1", "enter")
        await sees(pilot, "tour · 3 of 4")
        await keys(pilot, "left")
        engine.release()
        await sees(pilot, "␣Paris")
        engine.become(EngineState.STOPPED)
        await sees(pilot, "no model ×")
        await keys(pilot, "enter", "enter", "enter")
        await sees(pilot, "› Begin")


async def test_the_distribution_of_a_model_stays_until_the_next_model_has_computed_its_own(
    tmp_path: Path,
) -> None:
    engine = FakeEngine()
    async with whole_app(tmp_path, engine, tour=True).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "computed just now by Fake-1K")
        engine.become(EngineState.LOADING)
        await sees(pilot, "loading")
        assert "␣Paris" in shown(pilot.app)
        engine.card = replace(engine.card, sha256="e" * 64, name="Other")
        engine.hold()
        engine.become(EngineState.READY)
        await sees(pilot, "Other ●")
        assert "computed just now by Fake-1K" in shown(pilot.app)
        engine.release()
        await sees(pilot, "computed just now by Other")
        assert [session.closed for session in engine.sessions] == [True, False]
        await keys(pilot, "1")
        await sees(pilot, "The capital of France is Paris▏")
        await until(pilot, lambda: "1  ," in shown(pilot.app))


def downloading(folder: Path, engine: FakeEngine, downloaded: asyncio.Event) -> TutorApp:
    """Return the app at its first start, with the small model until the full one is downloaded."""

    async def fetch(on_progress: Callable[[PullProgress], None]) -> Pulled:
        await downloaded.wait()
        return Pulled("/models/x.gguf", fetched=True)

    return whole_app(
        folder, engine, tour=True, model_missing=lambda: not downloaded.is_set(), fetch=fetch
    )


async def test_the_tour_says_that_the_small_model_stood_in(tmp_path: Path) -> None:
    engine, downloaded = FakeEngine(), asyncio.Event()
    app = downloading(tmp_path, engine, downloaded)
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(
            pilot, "computed just now by the small bundled model (the full one is not ready)"
        )
        engine.card = replace(engine.card, sha256="e" * 64, name="Full")
        downloaded.set()
        changed = "computed just now by Full (the numbers before were from a small model)"
        await sees(pilot, changed)
        await keys(pilot, "1")
        await until(pilot, lambda: "1  ," in shown(pilot.app))
        assert "computed just now by Full" in shown(pilot.app)
        assert "small model" not in shown(pilot.app)


async def test_the_tour_names_no_small_model_whose_numbers_were_not_seen(tmp_path: Path) -> None:
    engine, downloaded = FakeEngine(), asyncio.Event()
    app = downloading(tmp_path, engine, downloaded)
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "computed just now by the small bundled model")
        await keys(pilot, "left")
        engine.card = replace(engine.card, sha256="e" * 64, name="Full")
        downloaded.set()
        await sees(pilot, "Full ●")
        await until(pilot, lambda: len(engine.sessions) == 2)
        await keys(pilot, "enter")
        await sees(pilot, "computed just now by Full")
        assert "small model" not in shown(pilot.app)


async def test_a_token_taken_while_a_model_loads_is_in_the_text_of_the_next_model(
    tmp_path: Path,
) -> None:
    engine = FakeEngine()
    async with whole_app(tmp_path, engine, tour=True).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "␣Paris")
        engine.become(EngineState.LOADING)
        await keys(pilot, "1")
        await sees(pilot, "The model is loading.")
        engine.card = replace(engine.card, sha256="e" * 64, name="Other")
        engine.become(EngineState.READY)
        await sees(pilot, "computed just now by Other")
        assert "The capital of France is Paris▏" in shown(pilot.app)
        assert "1  ," in shown(pilot.app)


async def test_the_tour_says_why_there_is_no_distribution(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with whole_app(tmp_path, engine, tour=True).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "␣Paris")
        engine.fail_with = ContextFull("The text does not fit.", "Use a shorter text.")
        await keys(pilot, "1")
        await sees(pilot, "The text does not fit. Use a shorter text.")
        engine.become(EngineState.READY)
        await until(pilot, lambda: "1  ," in shown(pilot.app))


async def test_enter_pages_down_before_it_goes_on(tmp_path: Path) -> None:
    async with whole_app(tmp_path, tour=True).run_test(size=(40, 12)) as pilot:
        await sees(pilot, "Welcome to tutor")
        await keys(pilot, "enter")
        assert "tour · 1 of 4" in shown(pilot.app)
        assert "Welcome to tutor" not in shown(pilot.app)
        await keys(pilot, "enter", "enter")
        await sees(pilot, "tour · 2 of 4")


@pytest.mark.parametrize("page", [1, 2, 3, 4])
def test_how_it_looks(snap_compare: Callable[..., bool], tmp_path: Path, page: int) -> None:
    async def shows(pilot: Pilot[Any]) -> None:
        await sees(pilot, "●")
        await keys(pilot, *["enter"] * (page - 1))
        await sees(pilot, "␣Paris" if page == 2 else f"{page} of 4")
        await pilot.pause()

    assert snap_compare(whole_app(tmp_path, tour=True), run_before=shows, terminal_size=SIZE)
