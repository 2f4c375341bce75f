"""Compare screens with snapshots, one for each screen and state."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.whole_app import keys, sees, whole_app
from tests.sample_course import LESSON
from tutor.app.background.status import ModelStatus
from tutor.errors import DownloadFailed
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, Guessed, LabDone, LessonState
from tutor.models.report import PullProgress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    Snap = Callable[..., bool]

WIDE, NARROW = (80, 24), (40, 12)
ORDER = tuple(question.id for question in LESSON.questions)


@pytest.fixture(autouse=True)
def _same_terminal_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


def learner(folder: Path, *, question: str = "", screen: str = "") -> None:
    """Save the progress of a learner who has read one screen and is at `question` or `screen`."""
    Progress.open(folder).save_lesson(
        LessonState(
            lesson=LESSON.id,
            screen=screen or "question",
            question=question,
            quiz_order=ORDER if question else (),
            quiz_seed=7,
            seen=("question",),
        )
    )


def after(*pressed: str, then: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, *pressed)
        await sees(pilot, then)
        await pilot.pause()

    return run


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_home(snap_compare: Snap, tmp_path: Path, size: tuple[int, int]) -> None:
    learner(tmp_path, screen="distribution")
    assert snap_compare(whole_app(tmp_path), run_before=after(then="Continue"), terminal_size=size)


def test_home_without_a_network(snap_compare: Snap, tmp_path: Path) -> None:
    app = whole_app(tmp_path)

    async def no_network(pilot: Pilot[Any]) -> None:
        await sees(pilot, "Fake-1K ●")
        failure = DownloadFailed("The package index cannot be reached.", "Check the network.")
        card = app.model_status.model
        app.model_status = ModelStatus(phase="ready", model=card, small=True, fetch_failure=failure)
        await sees(pilot, "cannot be reached")

    assert snap_compare(app, run_before=no_network, terminal_size=WIDE)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_lesson(snap_compare: Snap, tmp_path: Path, size: tuple[int, int]) -> None:
    learner(tmp_path, screen="distribution")
    shown = after("enter", then="The answer is a distribution")
    assert snap_compare(whole_app(tmp_path), run_before=shown, terminal_size=size)


def test_lesson_with_its_lab_beside_it(snap_compare: Snap, tmp_path: Path) -> None:
    learner(tmp_path, screen="distribution")
    shown = after("enter", then="␣Paris")
    assert snap_compare(whole_app(tmp_path), run_before=shown, terminal_size=(130, 30))


def test_question_with_a_hint(snap_compare: Snap, tmp_path: Path) -> None:
    learner(tmp_path, question="true-of-probabilities")
    shown = after("enter", "b", "h", "g", then="Hint")
    assert snap_compare(whole_app(tmp_path), run_before=shown, terminal_size=WIDE)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_question_answered(snap_compare: Snap, tmp_path: Path, size: tuple[int, int]) -> None:
    learner(tmp_path, question="cosine")
    shown = after("enter", "a", "a", "enter", then="The cosine")
    assert snap_compare(whole_app(tmp_path), run_before=shown, terminal_size=size)


def test_next_token_answered(snap_compare: Snap, tmp_path: Path) -> None:
    learner(tmp_path, question="capital")
    shown = after("enter", *"Berlin", "enter", then="saved")
    assert snap_compare(whole_app(tmp_path), run_before=shown, terminal_size=WIDE)


def test_result(snap_compare: Snap, tmp_path: Path) -> None:
    some_history(tmp_path, time.time())
    learner(tmp_path, question="capital")
    shown = after("enter", "tab", "s", then="2 of 6 right")
    assert snap_compare(whole_app(tmp_path), run_before=shown, terminal_size=WIDE)


def test_progress(snap_compare: Snap, tmp_path: Path) -> None:
    some_history(tmp_path, NOON)
    learner(tmp_path)
    shown = after("p", then="bits per token")
    app = whole_app(tmp_path, clock=lambda: NOON)
    assert snap_compare(app, run_before=shown, terminal_size=WIDE)


def test_help(snap_compare: Snap, tmp_path: Path) -> None:
    learner(tmp_path, question="cosine")
    shown = after("enter", "a", "question_mark", then="help ·")
    assert snap_compare(whole_app(tmp_path), run_before=shown, terminal_size=WIDE)


def test_model_while_it_is_fetched(snap_compare: Snap, tmp_path: Path) -> None:
    app = whole_app(tmp_path)

    async def fetching(pilot: Pilot[Any]) -> None:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "m")
        progress = PullProgress("fetching", 40_000_000, 92_871_040)
        card = app.model_status.model
        app.model_status = ModelStatus(phase="ready", model=card, small=True, fetch=progress)
        await sees(pilot, "x stop download")

    assert snap_compare(app, run_before=fetching, terminal_size=WIDE)


def test_sixteen_colors(
    snap_compare: Snap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM")
    learner(tmp_path, question="true-of-probabilities")
    shown = after("enter", "a", "b", "enter", then="saved")
    assert snap_compare(whole_app(tmp_path), run_before=shown, terminal_size=WIDE)


NOON = datetime(2026, 11, 24, 12).timestamp()
"""Noon on a Tuesday, since the snapshot shows days of the week."""


def some_history(folder: Path, now: float) -> None:
    progress = Progress.open(folder)
    for question, correct in (("cosine", True), ("bits", False), ("unit", True)):
        progress.record(
            Answered(at=now, question=question, version=1, lesson=LESSON.id, correct=correct)
        )
    progress.record(LabDone(at=now, lab="unsure", lesson=LESSON.id))
    for bits in (2.5, 3.5):
        progress.record(
            Guessed(
                at=now,
                text="The capital of France is",
                guess=" London",
                actual=" Paris",
                rank=3,
                learner_bits=bits + 2,
                model_bits=bits,
            )
        )
