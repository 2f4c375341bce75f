"""Fit the parameters of FSRS to a learner's own answers.

FSRS predicts the probability of a right answer from 21 parameters. Its default parameters come from
many people's reviews. Its optimizer, which needs the extra `fit`, finds the ones that predict one
learner's answers best, by gradient descent on the log loss (Ye et al., 2022,
https://doi.org/10.1145/3534678.3539081).
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
"""The number of reviews from which FSRS's optimizer computes parameters."""
_DAY = 24 * 60 * 60

History = Sequence[Answered]
"""All answers to one version of a question, the earliest first."""


class FitError(TutorError, title="The schedule cannot be fitted"):
    """There are too few reviews, or the optimizer is not installed."""


class Quality(msgspec.Struct, frozen=True):
    """A measure of how well parameters predict reviews: the mean log loss (in nats) and recall."""

    loss: float
    predicted: float


def histories(events: Iterable[LogEvent], forgotten: Mapping[str, float]) -> list[History]:
    """Return the answers that count, by question and version.

    `forgotten` has the time up to which answers to a question do not count, by question id.
    """
    found: dict[tuple[str, int], list[Answered]] = defaultdict(list)
    for event in in_order(events):
        if isinstance(event, Answered) and event.at > forgotten.get(event.question, -math.inf):
            found[event.question, event.version].append(event)
    return list(found.values())


def reviews(history: History) -> Iterator[Answered]:
    """Yield the answers that were given at least a day after the one before."""
    for before, answer in pairwise(history):
        if answer.at - before.at >= _DAY:
            yield answer


def measured(of: Iterable[History], parameters: str) -> Quality:
    """Return how well the parameters predict the reviews, of which there is at least one."""
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
    """Return the parameters that fit the reviews best. This takes seconds to minutes.

    Raises `FitError`.
    """
    from fsrs import Optimizer, Rating, ReviewLog

    of = list(of)
    count = sum(1 for history in of for _ in reviews(history))
    if count < FEWEST:
        raise FitError(
            f"You have {count:,} reviews, and fitting needs {FEWEST}.",
            "A review is an answer that you give a day or more after the one before. Until then, "
            "the default parameters are used.",
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
