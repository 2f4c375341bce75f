"""Test which parts of a state are kept and which come from the log when the state is updated."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.learner.learner_sessions import named
from tutor.learner.records import LabDone, LessonRead, LessonState, Undo
from tutor.learner.replay import catch_up
from tutor.learner.review_log import ReviewLog
from tutor.learner.state import LearnerState, place


@pytest.fixture
def log(tmp_path: Path) -> ReviewLog:
    return ReviewLog(tmp_path / "reviews.log")


def test_a_lesson_read_according_to_the_state_stays_read(log: ReviewLog) -> None:
    log.extend([LabDone(at=5.0, lesson="tokens", lab="stepper")])
    known = LessonState(lesson="tokens", screen="bytes", read=True)
    state, _ = catch_up(LearnerState(lessons={"tokens": known}), log, rebuild=True)
    lesson = state.lessons["tokens"]
    assert (lesson.read, lesson.screen, lesson.labs_done) == (True, "bytes", ("stepper",))


@pytest.mark.parametrize(("known_at", "read_at"), [(3.0, 9.0), (9.0, 3.0)])
def test_the_later_visit_counts(log: ReviewLog, known_at: float, read_at: float) -> None:
    log.extend([LessonRead(at=read_at, lesson="tokens")])
    known = LessonState(lesson="tokens", visited_at=known_at)
    state, _ = catch_up(place(LearnerState(), known), log, rebuild=True)
    assert state.lessons["tokens"].visited_at == 9.0
    assert state.lessons["tokens"].read


def test_undoing_an_answer_out_of_order_rebuilds_the_card(log: ReviewLog) -> None:
    """The card from before the answer is not the card that remains after undoing it."""
    late, early = (
        msgspec.structs.replace(named(number), question="q", at=at)
        for number, at in ((1, 9.0), (2, 3.0))
    )
    log.extend([late])
    state, _ = catch_up(LearnerState(), log)
    assert state.undo == Undo(question="q", answer=late.id, before=None)
    log.extend([early])
    state, _ = catch_up(state, log)
    assert state.cards["q"].answers == 2
    assert state.undo == Undo()
