"""Summarize how close a learner's predictions came to the answers."""

from collections.abc import Iterable
from statistics import median

import msgspec

from tutor.learner.records import LessonState

_CLOSE = 0.05
"""The distance from the answer, as a fraction of the range, within which a number is neither too
high nor too low."""


class PredictionSummary(msgspec.Struct, frozen=True):
    """A summary of all predictions of a learner.

    `choices` counts the predictions that can only be right or wrong, and `right` those that were
    right. `numbers` counts predicted numbers. `distance` is their median distance from the answer,
    as a fraction of the range, and `high` and `low` count those that were clearly too high or low.
    """

    predictions: int = 0
    choices: int = 0
    right: int = 0
    numbers: int = 0
    distance: float = 0.0
    high: int = 0
    low: int = 0


def prediction_summary(lessons: Iterable[LessonState]) -> PredictionSummary:
    """Return the summary of all predictions in these lessons."""
    made = [each for lesson in lessons for each in lesson.predictions.values()]
    offs = [each.off for each in made if each.off is not None]
    rights = [each.right for each in made if each.right is not None]
    return PredictionSummary(
        predictions=len(made),
        choices=len(rights),
        right=sum(rights),
        numbers=len(offs),
        distance=median(map(abs, offs)) if offs else 0.0,
        high=sum(off > _CLOSE for off in offs),
        low=sum(off < -_CLOSE for off in offs),
    )
