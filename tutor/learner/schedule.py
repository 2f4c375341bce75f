"""Schedule reviews with FSRS (py-fsrs), with its default parameters or the learner's own.

`tutor.study.fit` fits parameters to a learner's answers, and saves them as a setting.

A card stores the day when its probability of recall falls to 90 %. If the learner has set another
retention, `due_at` converts the stored day to the due date for that retention, so stored progress
does not depend on the setting. Intervals are not randomized, so the same answers give the same
schedule on every machine.

FSRS runs without learning steps: a question comes back on another day, never after a few minutes.
After a wrong answer, learners can retry immediately in the quiz.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import cache, partial
from typing import TYPE_CHECKING

import msgspec

from tutor.learner.clock import sensible
from tutor.learner.records import Answered, Card, Draft, Setting

if TYPE_CHECKING:
    from fsrs import Card as FsrsCard
    from fsrs import Scheduler

RETENTION = 0.9
"""The desired retention: the probability of recall on the due date stored in a card."""
FITTED = "review.parameters"
"""The name of the setting with the learner's own FSRS parameters.

Its value is a list of numbers separated by spaces, or "" for the default parameters.
"""
_DAY = 24 * 60 * 60
_LONGEST = 36_500
"""The longest interval between reviews, in days."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Grade(IntEnum):
    """The grade of an answer, with the same values as `fsrs.Rating`. `Easy` is not used."""

    AGAIN = 1
    HARD = 2
    GOOD = 3


def grade(answer: Answered) -> Grade:
    """Return the grade of an answer. Learners don't have to rate the difficulty themselves."""
    if not answer.correct:
        return Grade.AGAIN
    helped = answer.hinted or answer.guessed or answer.attempt > 1
    return Grade.HARD if helped else Grade.GOOD


def hint_matters(draft: Draft) -> bool:
    """Return True if a right answer to this attempt counts less only because of a hint.

    A guess, and an answer after a wrong one, count less in any case.
    """
    return draft.attempt == 1 and not draft.guessed


def guess_matters(draft: Draft) -> bool:
    """Return True if a right answer to this attempt counts less because it is a guess.

    An answer after a wrong one counts less in any case.
    """
    return draft.attempt == 1 and draft.guessed


def parameters_in(settings: Mapping[str, Setting]) -> str:
    """Return the learner's own parameters, or "" for FSRS's default ones."""
    value = settings.get(FITTED)
    return value if isinstance(value, str) else ""


def scheduled(before: Card | None, after: Card, grade: Grade, parameters: str = "") -> Card:
    """Return `after` with the schedule that results from an answer with `grade`.

    `after.last_at` is the time of the answer. `before` is the card before the answer, or None for
    the first answer. `parameters` are the learner's own, or "" for the default ones.
    """
    from fsrs import Rating  # Importing fsrs takes 40 ms, and readers don't need it.

    scheduler = _scheduler(parameters)
    reviewed, _ = scheduler.review_card(_to_fsrs(before), Rating(grade), _time(after.last_at))
    return msgspec.structs.replace(
        after,
        due=(reviewed.due - _EPOCH).total_seconds(),
        stability=reviewed.stability,
        difficulty=reviewed.difficulty,
        decay=scheduler.parameters[-1],
    )


def due_at(card: Card, retention: float) -> float:
    """Return the time when a card's probability of recall falls to `retention`.

    The interval since the last answer is rounded to whole days. The result is the due date that
    FSRS computes if `retention` is its desired retention.
    """
    if retention == RETENTION or card.stability is None:
        return card.due
    ratio = _decline(card, retention) / _decline(card, RETENTION)
    return card.due + (_days(card.stability * ratio) - _days(card.stability)) * _DAY


def waits_shortest(card: Card, retention: float) -> bool:
    """Return True if a card is due again after the shortest interval, which is one day.

    Both a right and a wrong answer can lead to this interval.
    """
    # A due date is rounded to microseconds, and the time of an answer is not.
    return round((due_at(card, retention) - card.last_at) / _DAY) <= 1


def _decline(card: Card, recall: float) -> float:
    """Return how long the probability of recall takes to fall to `recall`, in arbitrary units."""
    return float(recall ** (-1 / card.decay) - 1)


def _days(interval: float) -> int:
    return min(max(round(interval), 1), _LONGEST)


def recall(card: Card, at: float) -> float:
    """Return the probability (0 to 1) of a right answer at the time `at`.

    This is FSRS's forgetting curve.
    """
    if card.stability is None:
        return 0.0
    days = max(0, (_time(at) - _time(card.last_at)).days)
    return float((1 + _decline(card, RETENTION) * days / card.stability) ** -card.decay)


@cache
def _scheduler(parameters: str) -> Scheduler:
    """Return the scheduler with these parameters, or the default one if they are not valid."""
    from fsrs import Scheduler

    usual = partial(Scheduler, enable_fuzzing=False, learning_steps=(), relearning_steps=())
    try:
        return usual(parameters=tuple(map(float, parameters.split()))) if parameters else usual()
    except ValueError:  # not numbers, too few of them, or a number outside the limits of FSRS
        return usual()


def _to_fsrs(card: Card | None) -> FsrsCard:
    from fsrs import Card as FsrsCard
    from fsrs import State

    if card is None or card.stability is None or card.difficulty is None:
        return FsrsCard(card_id=0, due=_EPOCH)
    return FsrsCard(
        card_id=0,  # Without an id, fsrs takes a millisecond to create one.
        state=State.Review,
        stability=card.stability,
        difficulty=card.difficulty,
        due=_time(card.due),
        last_review=_time(card.last_at),
    )


def _time(at: float) -> datetime:
    return _EPOCH + timedelta(seconds=sensible(at))
