"""Test fitting the schedule to a learner's answers, and the schedule that results from it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsrs
import msgspec
import pytest

from tutor.learner.progress import Progress
from tutor.learner.records import Answered, Card, Forgotten, LogEvent, LogMark
from tutor.learner.schedule import FITTED, due_at, recall
from tutor.study import fit

DAY = 86_400.0
START = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
OWN = " ".join(map(str, (0.1, 0.5, 1.1, 3.0, *fsrs.Scheduler().parameters[4:20], 0.3)))
"""The parameters of someone who forgets faster than most people."""


def answers(days: Sequence[int], question: str = "q", *, right: int = 0b1101) -> list[Answered]:
    return [
        Answered(
            at=START + day * DAY,
            id=f"{question}{number}",
            question=question,
            version=1,
            lesson="l",
            correct=bool(right >> number & 1),
        )
        for number, day in enumerate(days)
    ]


def forgetful(questions: int) -> list[Answered]:
    """Return the answers of a learner who only remembers for about two days, however often."""
    luck = random.Random(1)
    given = []
    for number in range(questions):
        day = days = 0
        for n in range(6):
            right = luck.random() < 0.9**days
            given += answers([day], f"{number}-{n}-", right=right)
            given[-1] = msgspec.structs.replace(given[-1], question=str(number))
            days = luck.choice((1, 2, 4, 8))
            day += days
    return given


def by_fsrs(given: Sequence[Answered], parameters: str, retention: float) -> fsrs.Card:
    scheduler = fsrs.Scheduler(
        tuple(map(float, parameters.split())),
        retention,
        enable_fuzzing=False,
        learning_steps=(),
        relearning_steps=(),
    )
    card = fsrs.Card(card_id=1)
    for answer in given:
        rating = fsrs.Rating.Good if answer.correct else fsrs.Rating.Again
        card, _ = scheduler.review_card(card, rating, datetime.fromtimestamp(answer.at, UTC))
    return card


@pytest.mark.slow
def test_fitted_parameters_predict_the_answers_better() -> None:
    of = fit.histories(forgetful(110), {})
    parameters = fit.fitted(of)
    before, after = fit.measured(of, ""), fit.measured(of, parameters)
    right = [answer.correct for history in of for answer in fit.reviews(history)]
    share = sum(right) / len(right)
    assert len(right) == 550
    assert after.loss < before.loss - 0.02
    assert abs(after.predicted - share) < abs(before.predicted - share)
    fsrs.Scheduler(tuple(map(float, parameters.split())))  # they are within the limits


def test_a_few_reviews_are_not_enough() -> None:
    with pytest.raises(fit.FitError, match="You have 500 reviews, and fitting needs 512") as error:
        fit.fitted(fit.histories(forgetful(100), {}))
    assert "default" in (error.value.next_step or "")


def test_answers_on_the_same_day_and_forgotten_answers_are_no_reviews() -> None:
    given: list[LogEvent] = [
        *answers([0, 0, 1, 1, 4]),
        Forgotten(at=START, lesson="l", questions=("other",)),
    ]
    (history,) = fit.histories(given, {"q": START})
    assert [answer.at for answer in history] == [START + day * DAY for day in (1, 1, 4)]
    assert [answer.at for answer in fit.reviews(history)] == [START + 4 * DAY]


@pytest.mark.parametrize("retention", [0.8, 0.9, 0.95])
def test_the_own_parameters_determine_all_schedules(tmp_path: Path, retention: float) -> None:
    progress, given = Progress(tmp_path), answers([0, 3, 9, 20])
    for answer in given[:3]:
        progress.record(answer)
    usual = progress.state().cards["q"]
    progress.save_setting(FITTED, OWN)
    for count in (3, 4):  # answers from before, and a new one
        card = Progress(tmp_path).state().cards["q"]
        expected = by_fsrs(given[:count], OWN, retention)
        assert due_at(card, retention) == expected.due.timestamp()
        later = given[count - 1].at + 5 * DAY
        assert recall(card, later) == pytest.approx(
            fsrs.Scheduler(tuple(map(float, OWN.split()))).get_card_retrievability(
                expected, datetime.fromtimestamp(given[count - 1].at, UTC) + timedelta(days=5)
            )
        )
        progress.record(given[3])
    progress.save_setting(FITTED, "")
    progress.record(Forgotten(at=START + 15 * DAY, lesson="l", questions=()))
    again = Progress(tmp_path / "usual")
    for answer in given:
        again.record(answer)
    assert progress.state().cards == again.state().cards
    assert usual != card


def test_parameters_that_are_not_valid_have_no_effect(tmp_path: Path) -> None:
    usual = Progress(tmp_path / "usual")
    for answer in answers([0, 3]):
        usual.record(answer)
    for name, value in (("words", "a b"), ("few", "1 2"), ("nan", "nan " * 21), ("number", 3)):
        progress = Progress(tmp_path / name)
        progress.save_setting(FITTED, value)
        for answer in answers([0, 3]):
            progress.record(answer)
        assert progress.state().cards == usual.state().cards


def test_what_an_older_version_saved_can_be_read() -> None:
    """It has neither field, and its cards are scheduled with the default parameters."""
    card = msgspec.convert(
        {
            **{"question": "q", "version": 1, "lesson": "l", "answers": 1, "correct": 1},
            **{"last_correct": True, "last_at": START, "stability": 5.0, "difficulty": 5.0},
        },
        Card,
    )
    default = fsrs.Scheduler()
    theirs = fsrs.Card(
        card_id=0,
        state=fsrs.State.Review,
        stability=5.0,
        difficulty=5.0,
        last_review=datetime.fromtimestamp(START, UTC),
    )
    later = START + 7 * DAY
    expected = default.get_card_retrievability(theirs, datetime.fromtimestamp(later, UTC))
    assert recall(card, later) == pytest.approx(expected)
    assert msgspec.convert({"start": 0, "end": 9, "checksum": "x"}, LogMark).fitted == ""
