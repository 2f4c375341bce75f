"""Make learners in separate folders, for the tests of what a teacher sees."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.sample_course import COURSE, LESSON
from tutor.learner.log_lines import encode
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, LogEvent

NOW = 1_795_521_600.0
"""A Tuesday at noon, UTC."""
QUESTIONS = {question.id: question for question in LESSON.questions}


def clock() -> float:
    return NOW


def answer(question: str, text: str, *, correct: bool, at: float = NOW - 60) -> Answered:
    return Answered(
        at=at, question=question, version=1, lesson=LESSON.id, correct=correct, answer=text
    )


def learner(folder: Path, *events: LogEvent) -> Path:
    """Make a learner who has saved `events` with `Progress`."""
    progress = Progress.open(folder, clock=clock)
    progress.save_setting("here", True)
    for event in events:
        progress.record(event)
    return folder


def logged(folder: Path, events: Iterable[LogEvent]) -> None:
    """Make a learner who has only the log, from which everything else follows."""
    folder.mkdir(parents=True)
    (folder / "reviews.log").write_bytes(b"".join(map(encode, events)))


__all__ = ["COURSE", "LESSON", "NOW", "QUESTIONS", "answer", "clock", "learner", "logged"]
