"""Test the summary of a learner's predictions."""

from __future__ import annotations

import pytest

from tutor.learner.records import LessonState, Predicted
from tutor.study.prediction_summary import PredictionSummary, prediction_summary


def lesson(name: str, *made: Predicted) -> LessonState:
    return LessonState(lesson=name, predictions={each.prediction: each for each in made})


def predicted(name: str, off: float | None = None, right: bool | None = None) -> Predicted:
    return Predicted(at=1.0, prediction=name, lesson="l", guess="x", off=off, right=right)


def test_no_predictions() -> None:
    assert prediction_summary([lesson("l")]) == PredictionSummary()


def test_numbers_and_choices_are_counted_apart() -> None:
    first = lesson("a", predicted("1", off=0.4), predicted("2", right=True), predicted("3"))
    second = lesson(
        "b", predicted("4", off=-0.1), predicted("5", off=0.02), predicted("6", right=False)
    )
    summary = prediction_summary([first, second])
    assert (summary.predictions, summary.choices, summary.right) == (6, 2, 1)
    assert (summary.numbers, summary.high, summary.low) == (3, 1, 1)
    assert summary.distance == pytest.approx(0.1)
