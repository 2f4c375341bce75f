"""Test what is due for whom, in the words and by the clock of the reader."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.classroom.class_of_learners import COURSE, LESSON, NOW, QUESTIONS, answer, clock, learner
from tutor.classroom.assignments import Assignment, write
from tutor.classroom.due import (
    LessonDue,
    day,
    duties,
    in_few_words,
    in_words,
    moment,
    on_the_map,
)
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState

FRIDAY = datetime(2026, 11, 27, 22, 59, 59, tzinfo=UTC)


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if sys.platform == "win32":
        pytest.skip("Windows has no time.tzset")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def due(at: datetime, *, overdue: bool = False) -> LessonDue:
    return LessonDue("tokens", 3, "Tokens", at, overdue)


def test_in_words(in_berlin: None) -> None:
    assert in_words(due(FRIDAY), NOW) == "due Fri 27 Nov"
    assert in_words(due(FRIDAY, overdue=True), NOW) == "overdue since Fri 27 Nov"
    assert on_the_map(due(FRIDAY), NOW) == "due Fri 27 Nov"
    assert on_the_map(due(FRIDAY, overdue=True), NOW) == "overdue, 27 Nov"
    assert in_few_words(due(FRIDAY)) == "due 27 Nov"
    assert in_few_words(due(FRIDAY, overdue=True)) == "overdue"


def test_days_are_local_to_the_reader(in_berlin: None) -> None:
    assert day(datetime(2026, 11, 27, 23, 30, tzinfo=UTC), NOW) == "Sat 28 Nov 00:30"
    assert day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), NOW) == "Fri 1 Jan 2027 00:30"


def test_a_date_means_the_end_of_that_day(in_berlin: None) -> None:
    assert moment("2026-11-27") == FRIDAY
    assert moment("2026-07-01 18:00") == datetime(2026, 7, 1, 16, tzinfo=UTC)
    assert moment("2026-07-01T18:00") == moment("2026-07-01 18:00")


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "2026-11-31", "27.11.2026", "20261127", "2026-11-27T25:00", "٢٠٢٦-11-27"],
)
def test_invalid_dates(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        moment(text)


def test_a_lesson_is_due_until_it_is_done(tmp_path: Path) -> None:
    file, folder = tmp_path / "class.json", tmp_path / "me"
    write(file, [Assignment(LESSON.id, FRIDAY)])
    progress = Progress.open(learner(folder), clock=clock)

    def state(now: float) -> list[bool]:
        return [each.overdue for each in duties(file, COURSE, progress, now).lessons.values()]

    assert state(NOW) == [False]
    assert state(FRIDAY.timestamp() + 1) == [True]
    seen = tuple(screen.id for screen in LESSON.screens)
    progress.save_lesson(LessonState(lesson=LESSON.id, seen=seen))
    for question in list(QUESTIONS)[:-1]:
        progress.record(answer(question, "1", correct=True))
    assert state(NOW) == [False]
    progress.record(answer(list(QUESTIONS)[-1], "1", correct=True))
    assert state(NOW) == state(FRIDAY.timestamp() + 1) == []


def test_lessons_that_are_not_in_the_course_are_listed(tmp_path: Path) -> None:
    file = tmp_path / "class.json"
    progress = Progress.open(tmp_path / "me", clock=clock)
    others = [Assignment(f"new-{number}", FRIDAY) for number in range(7)]
    write(file, [Assignment(LESSON.id, FRIDAY), *others])
    found = duties(file, COURSE, progress, NOW)
    assert list(found.lessons) == [LESSON.id]
    assert "new-0, new-1, new-2, new-3, new-4 and 2 more" in found.problems[0].happened
    write(file, others)
    assert duties(file, COURSE, progress, NOW).problems == ()  # it is about another course


def test_an_invalid_file_only_leaves_a_problem(tmp_path: Path) -> None:
    (tmp_path / "class.json").write_text("{")
    found = duties(tmp_path / "class.json", COURSE, Progress.open(tmp_path / "me"), NOW)
    assert found.lessons == {}
    assert len(found.problems) == 1
