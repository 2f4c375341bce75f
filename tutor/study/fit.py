"""Fit the parameters of FSRS to a learner's own answers.

FSRS predicts the probability of a right answer from 21 parameters. Its default parameters come from
the reviews of many people. The FSRS optimizer, which needs the extra `fit`, minimizes the log loss
with gradient descent to find the parameters that predict one learner's answers best (Ye et al.,
2022, https://doi.org/10.1145/3534678.3539081).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import fmean

import msgspec

from tutor.errors import TutorError
from tutor.installation import install_command
from tutor.learner.records import Answered, Card, LogEvent
from tutor.learner.schedule import grade, recall
from tutor.learner.state import after_answer, in_order

FEWEST = 512
"""The minimum number of reviews that FSRS's optimizer needs to compute parameters."""
_DAY = 24 * 60 * 60

History = Sequence[Answered]
"""All answers to one version of a question, earliest first."""


class FitError(TutorError, title="The schedule cannot be fitted"):
    """An error that is raised if there are too few reviews or if the optimizer is missing."""


class Quality(msgspec.Struct, frozen=True):
    """A measure of how well parameters predict reviews.

    `loss` is the mean log loss in nats, and `predicted` is the mean predicted recall (0 to 1).
    """

    loss: float
    predicted: float


def histories(events: Iterable[LogEvent], forgotten: Mapping[str, float]) -> list[History]:
    """Return the answers in the log, grouped by question and version.

    `forgotten` maps the ids of questions to times. Answers up to that time are left out.
    """
    found: dict[tuple[str, int], list[Answered]] = defaultdict(list)
    for event in in_order(events):
        if isinstance(event, Answered) and event.at > forgotten.get(event.question, -math.inf):
            found[event.question, event.version].append(event)
    return list(found.values())


def reviews(history: History) -> Iterator[Answered]:
    """Yield each answer that was given at least a day after the previous answer."""
    for before, answer in pairwise(history):
        if answer.at - before.at >= _DAY:
            yield answer


def measured(of: Iterable[History], parameters: str) -> Quality:
    """Measure how well `parameters` predict the reviews. There must be at least one review."""
    predicted: list[float] = []
    losses: list[float] = []
    for history in of:
        counted = {answer.id for answer in reviews(history)}
        card: Card | None = None
        for answer in history:
            if card is not None and answer.id in counted:
                right = recall(card, answer.at)
                predicted.append(right)
                losses.append(-math.log(right if answer.correct else 1 - right))
            card = after_answer(card, answer, parameters)
    return Quality(fmean(losses), fmean(predicted))


def fitted(of: Iterable[History]) -> str:
    """Return the parameters that predict the reviews best, as text. This can take minutes.

    Raises `FitError` if there are too few reviews, or if the optimizer is not installed.
    """
    from fsrs import Optimizer, Rating, ReviewLog

    of = list(of)
    count = sum(1 for history in of for _ in reviews(history))
    if count < FEWEST:
        raise FitError(
            f"You have {count:,} reviews, and fitting needs {FEWEST}.",
            "A review is an answer that you give a day or more after your previous answer to the "
            "same question. Until you have enough reviews, the default parameters are used.",
        )
    answers = [
        ReviewLog(number, Rating(grade(answer)), datetime.fromtimestamp(answer.at, UTC), None)
        for number, history in enumerate(of)
        for answer in history
    ]
    try:
        optimizer = Optimizer(answers)
    except ImportError:
        raise FitError(
            "The packages that FSRS's optimizer needs are not installed.",
            f"Install them with: {install_command('fit')}",
        ) from None
    return " ".join(f"{value:.4f}" for value in optimizer.compute_optimal_parameters())
