"""Summarize how close a learner's predictions were to the right answers."""

from collections.abc import Iterable
from statistics import median

import msgspec

from tutor.learner.records import LessonState

CLOSE = 0.05
"""The maximum distance at which a predicted number counts as neither too high nor too low.

Distances from the answer are fractions of the range of possible numbers.
"""


class PredictionSummary(msgspec.Struct, frozen=True):
    """A summary of all predictions of a learner.

    `choices` is the number of predictions that are either right or wrong; `right` of them were
    right. `numbers` is the number of numeric predictions; `high` of them were clearly too high, and
    `low` clearly too low. `distance` is the median distance of a predicted number from the answer,
    as a fraction of the range of possible numbers.
    """

    predictions: int = 0
    choices: int = 0
    right: int = 0
    numbers: int = 0
    distance: float = 0.0
    high: int = 0
    low: int = 0


def prediction_summary(lessons: Iterable[LessonState]) -> PredictionSummary:
    """Summarize all predictions in the stored states of `lessons`."""
    made = [each for lesson in lessons for each in lesson.predictions.values()]
    offs = [each.off for each in made if each.off is not None]
    rights = [each.right for each in made if each.right is not None]
    return PredictionSummary(
        predictions=len(made),
        choices=len(rights),
        right=sum(rights),
        numbers=len(offs),
        distance=median(map(abs, offs)) if offs else 0.0,
        high=sum(off > CLOSE for off in offs),
        low=sum(off < -CLOSE for off in offs),
    )
