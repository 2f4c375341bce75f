"""Sets up a learner with questions to review, and a clock that the test controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tests.app.whole_app import whole_app
from tests.sample_course import LESSON
from tutor.course.catalogue import Course
from tutor.course.questions.number import NumberQuestion
from tutor.learner.progress import Progress
from tutor.learner.records import Answered

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.app import Start, TutorApp

DAY = 86_400.0
QUESTIONS = tuple(
    NumberQuestion(
        id=f"sum-{number}",
        ask=f"What is {number} and {number}?",
        hint="Count.",
        why="Two equal numbers.",
        screen="distribution",
        answer=2 * number,
    )
    for number in (1, 2, 3)
)
COURSE = Course(lessons=(msgspec.structs.replace(LESSON, questions=QUESTIONS),))


@dataclass
class Clock:
    """A clock that shows Tuesday noon, UTC, until the test changes it."""

    at: float = 1_795_521_600.0

    def __call__(self) -> float:
        return self.at


def reviewer(
    folder: Path, clock: Clock, *, course: Course = COURSE, start: Start = "home"
) -> TutorApp:
    return whole_app(folder, course=course, clock=clock, start=start)


def answered(folder: Path, clock: Clock, *numbers: int, version: int = 1) -> None:
    """Record right answers to the questions with these numbers, one second apart."""
    progress = Progress.open(folder, clock=clock)
    for second, number in enumerate(numbers):
        progress.record(
            Answered(
                at=clock() + second,
                question=f"sum-{number}",
                version=version,
                lesson=LESSON.id,
                correct=True,
            )
        )
