"""Does an answer take longer to save for somebody who has answered for years?

Two learners of the same course, with 100 and with 100,000 answers behind them, take turns: one
acknowledged answer each (in the review log and in the state, both on disk). The same disk, the
same minute, so that what else the machine does meets both.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.table import Measured

from tutor.learner.progress import Progress
from tutor.learner.records import Answered
from tutor.learner.review_log import encode

QUESTIONS = 100


def answer(number: int) -> Answered:
    return Answered(
        at=1e9 + number,
        question=f"question-{number % QUESTIONS}",
        version=1,
        lesson="one-question",
        correct=number % 3 > 0,
    )


def learner_with(answers: int, folder: Path) -> Progress:
    """A learner who has given `answers` answers, the last one through the front door."""
    folder.mkdir(mode=0o700)
    with (folder / "reviews.log").open("wb") as log:
        log.writelines(encode(answer(number)) for number in range(answers - 1))
    progress = Progress.open(folder)
    progress.record(answer(answers - 1))
    progress.notices.clear()  # that the state was made from the log is what was wanted
    return progress


def measure(turns: int = 300) -> list[Measured]:
    """The rows of the benchmark table that are about saving."""
    with tempfile.TemporaryDirectory() as place:
        few = learner_with(100, Path(place) / "few")
        many = learner_with(100_000, Path(place) / "many")
        saving: dict[Progress, list[float]] = {few: [], many: []}
        opening: dict[Progress, list[float]] = {few: [], many: []}
        for turn in range(turns):
            for progress in (few, many) if turn % 2 else (many, few):
                saving[progress].append(
                    milliseconds(lambda p=progress, n=turn: p.record(answer(n)))
                )
                opening[progress].append(milliseconds(lambda p=progress: Progress.open(p.folder)))
    return [
        Measured(
            "one acknowledged answer, after 100,000 answers against after 100",
            "ms",
            statistics.median(saving[many]),
            statistics.median(saving[few]),
            1.3,
        ),
        Measured(
            "opening the progress, after 100,000 answers against after 100",
            "ms",
            statistics.median(opening[many]),
            statistics.median(opening[few]),
            1.3,
        ),
    ]


def milliseconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return (time.perf_counter() - begin) * 1000
