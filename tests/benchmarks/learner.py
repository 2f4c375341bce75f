"""Measure whether tutor becomes slower for learners who have answered questions for years.

One learner has 100 answers and another has 100,000, both in the same course and over the same two
years. Alternately, each saves one answer durably (in the review log and in the state file), and
then loads the data for the home, review and progress screens. Both use the same disk in the same
minute, so that the conditions are the same.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.table import Measured
from tutor.learner import review
from tutor.learner.log_lines import encode
from tutor.learner.progress import Progress
from tutor.learner.records import Answered
from tutor.learner.review import Limits, ReviewQuestion
from tutor.learner.schedule import RETENTION

QUESTIONS = 100
LESSONS = 10
BEGIN, YEARS = 1.7e9, 2 * 365 * 86_400.0
NOW = BEGIN + YEARS + 86_400

ASKED = {
    name: ReviewQuestion(name, 1, f"lesson-{number % LESSONS}", f"screen-{number % 50}")
    for number in range(QUESTIONS)
    for name in [f"question-{number}"]
}


def answer(number: int, of: int) -> Answered:
    return Answered(
        at=BEGIN + YEARS * number / of,
        id=f"answer-{number}",
        zone=0,
        question=f"question-{number % QUESTIONS}",
        version=1,
        lesson="one-question",
        correct=number % 3 > 0,
    )


def learner_with(answers: int, folder: Path) -> Progress:
    """Return the progress of a learner with `answers` answers.

    Only the last answer is saved as in the app. The others are written directly to the log.
    """
    folder.mkdir(mode=0o700)
    with (folder / "reviews.log").open("wb") as log:
        log.writelines(encode(answer(number, answers)) for number in range(answers - 1))
    progress = Progress.open(folder)
    progress.record(answer(answers - 1, answers))
    progress.notices.clear()  # the state was rebuilt from the log, as intended
    return progress


def measure(turns: int = 300) -> list[Measured]:
    """Return the rows about saving and loading progress."""
    with tempfile.TemporaryDirectory() as place:
        few = learner_with(100, Path(place) / "few")
        many = learner_with(100_000, Path(place) / "many")
        saving: dict[Progress, list[float]] = {few: [], many: []}
        opening: dict[Progress, list[float]] = {few: [], many: []}
        home: dict[Progress, list[float]] = {few: [], many: []}
        reviewing: dict[Progress, list[float]] = {few: [], many: []}
        progress_screen: dict[Progress, list[float]] = {few: [], many: []}
        for turn in range(turns):
            for progress in (few, many) if turn % 2 else (many, few):
                event = answer(100_000 + turn, 100_000)
                folder = progress.folder
                for times, act in (
                    (saving, lambda p=progress, e=event: p.record(e)),
                    (opening, lambda f=folder: Progress.open(f)),
                    (home, lambda f=folder: show_home(f)),
                    (reviewing, lambda f=folder: show_review(f)),
                    (progress_screen, lambda f=folder: show_progress(f)),
                ):
                    times[progress].append(milliseconds(act))
    what = {
        "saving an answer": saving,
        "opening a learner's progress": opening,
        "loading the data for the course map": home,
        "loading the data for the review screen": reviewing,
        "loading the data for the progress screen": progress_screen,
    }
    return [
        Measured(
            f"{name} with 100,000 stored answers, against 100 stored answers",
            "ms",
            statistics.median(times[many]),
            statistics.median(times[few]),
            1.3,
        )
        for name, times in what.items()
    ]


def show_home(folder: Path) -> None:
    """Load the progress that the course map needs from disk."""
    progress = Progress.open(folder)
    progress.lessons(), progress.cards()
    review.queue(progress.state(), ASKED, NOW, Limits())


def show_review(folder: Path) -> None:
    progress = Progress.open(folder)
    found = review.queue(progress.state(), ASKED, NOW, Limits())
    for item in (*found.due, *found.ahead):
        progress.card(item.question)


def show_progress(folder: Path) -> None:
    state = Progress.open(folder).state()
    review.memory_of_lessons(state, ASKED, NOW)
    review.memory_of_screens(state, ASKED, NOW)
    review.memory(state, ASKED, NOW)
    review.forecast(state, ASKED, NOW, retention=RETENTION)
    review.streak(state, NOW)


def milliseconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return (time.perf_counter() - begin) * 1000
