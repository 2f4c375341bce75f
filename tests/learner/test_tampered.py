"""Test a progress file that was changed together with its checksum.

The file is either opened or refused with a message, and no output contains terminal sequences from
it.
"""

from __future__ import annotations

import json
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from tests.hostile_files import changed_json
from tests.learner.learner_sessions import answered
from tests.shipped_course import shipped_course
from tutor.cli.report.text import details, report
from tutor.errors import TutorError
from tutor.learner import exchange, review
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, Draft, Guessed, LessonRead, LessonState, Suspended
from tutor.learner.schema import CURRENT
from tutor.settings.schema import ReviewSettings
from tutor.study.lesson_progress import lesson_progress
from tutor.study.review_questions import review_questions
from tutor.text import printable_json, safe

lengths = pytest.mark.parametrize(
    "examples",
    [25, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])],
    ids=["short", "long"],
)
COURSE = shipped_course()


def filled(folder: Path) -> Progress:
    """Return progress with every kind of data, about questions of the course."""
    progress = Progress.open(folder)
    lesson = COURSE.lessons[1]
    for number, question in enumerate(lesson.questions[:3]):
        for right in (True, False):
            progress.record(
                Answered(
                    at=1e9 + number,
                    question=question.id,
                    version=question.version,
                    lesson=lesson.id,
                    correct=right,
                )
            )
    progress.record(Suspended(at=1e9, question=lesson.questions[0].id))
    progress.record(LessonRead(at=1e9, lesson=lesson.id))
    progress.record(
        Guessed(at=1e9, text="a", guess="b", actual="c", rank=2, learner_bits=3.0, model_bits=1.0)
    )
    progress.save_lesson(
        LessonState(lesson=lesson.id, screen=lesson.screens[0].id, visited_at=1e9, seen=("x",))
    )
    progress.save_draft(lesson.questions[1].id, Draft(version=1, answer="17"))
    progress.save_setting("review.cap", 40)
    return progress


def write_state(folder: Path, tables: dict[str, Any]) -> None:
    """Write the state as tutor would."""
    (folder / "progress.json").write_bytes(signed(json.dumps(tables).encode()[1:]))


def signed(tables: bytes) -> bytes:
    """Return a file with a valid checksum and these tables (JSON without its first brace)."""
    rest = b"}}," + tables
    checksum = b"%08x" % zlib.crc32(rest, CURRENT.version)
    return b'{"about":{"file":{"schema":%d,"checksum":"%s"' % (CURRENT.version, checksum) + rest


def look_at_everything(folder: Path) -> None:
    """Check that everything about the learner can be shown."""
    shown: list[str] = []
    try:
        progress = Progress.open(folder, clock=lambda: 1.7e9)
        state = progress.state()
        shown += [str(notice) for notice in progress.notices]
        limits = review.limits(progress.setting, ReviewSettings())
        for make in (report, details):
            shown.append(safe(make("me", COURSE, state, progress.clock(), limits)))
        ask = review_questions(COURSE)
        review.queue(state, ask, progress.clock(), limits)
        review.forecast(state, ask, progress.clock(), retention=limits.retention)
        review.memory(state, ask, progress.clock())
        review.streak(state, progress.clock())
        shown.append(printable_json(msgspec.json.encode(exchange.export(progress))).decode())
        for lesson in COURSE.outlines:
            lesson_progress(lesson, progress.lesson(lesson.id), progress.cards())
        progress.record(answered(1))
        progress.record(answered(1))
    except TutorError as error:
        shown.append(safe(str(error)))
    acting = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not {unicodedata.category(char) for char in "".join(shown) if char != "\n"} & acting


@lengths
def test_a_state_that_was_changed(examples: int, tmp_path: Path) -> None:
    progress = filled(tmp_path / "me")
    data = json.loads((progress.folder / "progress.json").read_bytes())
    log = (progress.folder / "reviews.log").read_bytes()
    del data["about"]

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changed_json(data))
    def run(tables: Any) -> None:
        if not isinstance(tables, dict) or not tables:
            return
        for file in progress.folder.iterdir():
            file.unlink()
        (progress.folder / "reviews.log").write_bytes(log)
        write_state(progress.folder, tables)
        look_at_everything(progress.folder)

    run()


@lengths
def test_a_log_that_was_changed(examples: int, tmp_path: Path) -> None:
    progress = filled(tmp_path / "me")
    lines = (progress.folder / "reviews.log").read_bytes().splitlines()
    events = [json.loads(line[9:]) for line in lines]

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changed_json(events))
    def run(changed: Any) -> None:
        if not isinstance(changed, list):
            return
        bodies = [json.dumps(event).encode() for event in changed]
        for file in progress.folder.iterdir():
            file.unlink()
        (progress.folder / "reviews.log").write_bytes(
            b"".join(b"%08x " % zlib.crc32(body) + body + b"\n" for body in bodies)
        )
        look_at_everything(progress.folder)

    run()


@pytest.mark.parametrize("position", [-1, 2**62, 2**63, 2**80])
@pytest.mark.parametrize("field", ["start", "end", "skipped"])
def test_a_mark_at_an_impossible_position(tmp_path: Path, field: str, position: int) -> None:
    progress = filled(tmp_path / "me")
    data = json.loads((progress.folder / "progress.json").read_bytes())
    del data["about"]
    data["log"]["mark"][field] = [position] if field == "skipped" else position
    write_state(progress.folder, data)
    look_at_everything(progress.folder)
    assert len(list(Progress.open(progress.folder).events())) == 11  # nothing is lost


@pytest.mark.parametrize("deep", [100, 100_000])
def test_a_state_nested_without_end(tmp_path: Path, deep: int) -> None:
    progress = filled(tmp_path / "me")
    body = b'"cards":{"x":{"question":' + b"[" * deep + b"]" * deep + b"}}}"
    (progress.folder / "progress.json").write_bytes(signed(body))
    look_at_everything(progress.folder)


def test_files_signed_by_these_tests_are_accepted(tmp_path: Path) -> None:
    """Otherwise the tests above would only test files that are refused at once."""
    progress = filled(tmp_path / "me")
    data = json.loads((progress.folder / "progress.json").read_bytes())
    del data["about"]
    write_state(progress.folder, data)
    assert not list(Progress.open(progress.folder).notices)
