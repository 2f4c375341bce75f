"""Measure whether a large course opens as fast as our own.

A generated course of 500 lessons and 10,000 questions is opened alternately with our own course. It
consists of copies of our lessons' screens and questions, with other ids. The time is from exec to
the course map on an 80x24 terminal, at a start that can use the cache. The first start, without a
cache, has a separate row.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.table import Measured
from tests.terminal import Terminal
from tutor.paths import lessons_folder

LESSONS = 500
QUESTIONS = 20

OPEN = """
import gc
gc.disable()  # as the command line does, until the first screen is drawn
import sys
from pathlib import Path
from tutor import paths
from tutor.app.app import TutorApp
from tutor.course.catalogue import Opening
from tutor.engine.client import EngineClient
from tutor.learner.progress import Progress
opening = Opening(Path(sys.argv[1]))
course = opening.course()
assert len(course.outlines) == int(sys.argv[2]), course.problems[:3]
progress = Progress.open(paths.learner_folder())
TutorApp(course, progress, EngineClient(None), opening=opening).run(mouse=False)
"""

_QUESTION = re.compile(r"^```question\n.*?^```\n", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"^id: ", re.MULTILINE)
_NAMED = re.compile(r"^(needs|source):.*\n([ \]].*\n)*", re.MULTILINE)
_LINK = re.compile(r"\]\([0-9][^)]*\)")


def write_course(folder: Path, lessons: int = LESSONS) -> None:
    """Write a course of `LESSONS` copies of our lessons, with `QUESTIONS` questions."""
    ours = sorted(lessons_folder().glob("[0-9]*.md"))
    for name in ("glossary.md", "facts.yaml"):
        (folder / name).write_bytes((lessons_folder() / name).read_bytes())
    for number in range(lessons):
        text = ours[number % len(ours)].read_text(encoding="utf-8")
        questions = _QUESTION.findall(text)
        more = QUESTIONS - len(questions)
        again = [_ID.sub(f"id: more-{index}-", questions[index]) for index in range(max(0, more))]
        text = "\n".join((text, *again))
        text = _LINK.sub("](#remember)", _NAMED.sub("", text))
        text = re.sub(r"^number: .*", f"number: {number}", text, count=1, flags=re.MULTILINE)
        (folder / f"{number:03}-lesson.md").write_text(
            _ID.sub(f"id: c{number}-", text), encoding="utf-8"
        )


def measure(turns: int = 9) -> list[Measured]:
    """Return the rows about opening a course."""
    ours, count = lessons_folder(), len(list(lessons_folder().glob("[0-9]*.md")))
    first: dict[Path, list[float]] = {}
    again: dict[Path, list[float]] = {}
    with tempfile.TemporaryDirectory() as place:
        large = Path(place) / "lessons"
        large.mkdir()
        write_course(large)
        for turn in range(turns):
            for folder, lessons in ((large, LESSONS), (ours, count)):
                data = Path(place) / f"data-{turn}-{lessons}"
                first.setdefault(folder, []).append(_opened(folder, lessons, data))
                again.setdefault(folder, []).append(_opened(folder, lessons, data))
    return [
        Measured(
            f"opening a course of 500 lessons and 10,000 questions, "
            f"against tutor's own course: {when}",
            "ms",
            statistics.median(times[large]),
            statistics.median(times[ours]),
            1.5,
        )
        for when, times in (("later starts", again), ("first start", first))
    ]


def _opened(folder: Path, lessons: int, data: Path) -> float:
    """Return the milliseconds from exec to the course map, and wait until its cache is written."""
    command = [sys.executable, "-c", OPEN, str(folder), str(lessons)]
    with Terminal(command, environment={"TUTOR_DATA": str(data)}) as run:
        taken = 1000 * run.wait_for("› Begin")
        wait_until_cached(run, data)
    return taken


def wait_until_cached(run: Terminal, data: Path, timeout: float = 60) -> None:
    """Wait until `run` has cached its course in the folder `data`."""
    deadline = time.monotonic() + timeout
    while not list(data.rglob("*.cache")):
        assert time.monotonic() < deadline, "the course was not cached"
        run.read(0.1)
