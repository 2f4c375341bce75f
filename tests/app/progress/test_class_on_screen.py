"""Test the course map with due dates, and the screen with what a teacher sees."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.review.reviewing import COURSE, DAY, QUESTIONS, Clock, answered, reviewer
from tests.app.whole_app import keys, sees
from tests.later import NORMAL_AND_SMALL
from tests.sample_course import LESSON
from tutor import paths
from tutor.classroom.assignments import Assignment, write
from tutor.classroom.learner import studied
from tutor.classroom.mine import YOU
from tutor.classroom.tables import learners_table
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from tutor.app.app import TutorApp

DUE = datetime(2026, 11, 27, 23, 59, 59).astimezone()
"""The Friday after the Tuesday of `Clock`."""


@pytest.fixture(autouse=True)
def _folder_of_the_class(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUTOR_SHARED", str(tmp_path / "shared"))


def assign(*lessons: str) -> None:
    write(paths.class_file(), [Assignment(lesson, DUE) for lesson in lessons])


def text(pilot: Pilot[Any]) -> str:
    return shown(cast("TutorApp", pilot.app))


async def test_the_map_shows_due_dates_until_the_lesson_is_done(tmp_path: Path) -> None:
    assign(LESSON.id)
    clock = Clock()
    async with reviewer(tmp_path / "me", clock).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "due Fri 27 Nov")
        clock.at = DUE.timestamp() + DAY
        await keys(pilot, "p", "escape")
        await sees(pilot, "overdue, 27 Nov")
        progress = Progress.open(tmp_path / "me", clock=clock)
        seen = tuple(screen.id for screen in LESSON.screens)
        progress.save_lesson(LessonState(lesson=LESSON.id, seen=seen))
        answered(tmp_path / "me", clock, *range(1, len(QUESTIONS) + 1))
        await keys(pilot, "p", "escape")
        await sees(pilot, "done")
        assert "overdue" not in text(pilot)


async def test_an_invalid_class_file_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    paths.class_file().parent.mkdir()
    paths.class_file().write_text('{"tutor":"class","format":1,"lessons":[{"lesson":"\x1b[2J"}]}')
    async with reviewer(tmp_path / "me", Clock()).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "The class file cannot be used")
        await sees(pilot, LESSON.title)
        assert " due" not in text(pilot).split("Begin")[1].split("Stepper")[0]


async def test_due_lessons_that_the_course_lacks_are_named(tmp_path: Path) -> None:
    assign(LESSON.id, "from-next-year")
    async with reviewer(tmp_path / "me", Clock()).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "from-next-year")
        await sees(pilot, "due Fri 27 Nov")


async def test_the_teacher_view_shows_the_row_of_the_report(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path / "me", clock, 1, 2)
    progress = Progress.open(tmp_path / "me", clock=clock)
    progress.save_lesson(LessonState(lesson=LESSON.id, screen="again", seen=("again",)))
    row = studied(YOU, COURSE, progress.state(), progress.events(), clock()).row
    table = learners_table([row])
    async with reviewer(tmp_path / "me", clock).run_test(size=(80, 24)) as pilot:
        await keys(pilot, "p", "t")
        await sees(pilot, "what a teacher sees")
        for column, cell in zip(table.columns, table.rows[0], strict=True):
            await sees(pilot, f"{column.title:<14}{cell}")
        await sees(pilot, "(to 2 questions")
        await keys(pilot, "escape")
        await sees(pilot, "What you remember of each lesson")


@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
@pytest.mark.parametrize("screen", ["due", "overdue", "teacher"])
def test_how_it_looks(
    snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int], screen: str
) -> None:
    clock = Clock()
    answered(tmp_path / "me", clock, 1, 2)
    assign(LESSON.id)
    if screen == "overdue":
        clock.at = DUE.timestamp() + DAY

    async def shows(pilot: Pilot[Any]) -> None:
        await sees(pilot, "●")
        if screen == "teacher":
            await keys(pilot, "p", "t")
            await sees(pilot, "Strength")
        else:
            await sees(pilot, "you remember answers" if size == (80, 24) else "Review")
        await pilot.pause()

    assert snap_compare(reviewer(tmp_path / "me", clock), run_before=shows, terminal_size=size)
