"""Schedule reviews with FSRS (py-fsrs) and its default parameters.

A card stores the day when the recall falls to 90 %. If the learner has set another retention,
`due_at` computes another day from it, so stored progress does not depend on this setting. Intervals
are not randomized, so the same answers give the same schedule on every machine.

FSRS runs without learning steps: a question comes back on another day, never after a few minutes.
After a wrong answer, learners can retry immediately in the quiz.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from tutor.learner.clock import sensible
from tutor.learner.records import Answered, Card

if TYPE_CHECKING:
    from fsrs import Card as FsrsCard
    from fsrs import Scheduler

RETENTION = 0.9
"""The recall at the due date that is stored in a card."""
_DECAY = -0.1542
"""The exponent of the forgetting curve with FSRS's default parameters.

`fsrs.Scheduler` has the same value, but importing it before the first screen would take too long.
"""
_DAY = 24 * 60 * 60
_LONGEST = 36_500
"""The longest interval between two reviews, in days."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Grade(IntEnum):
    """The grade of an answer, with the numbers of `fsrs.Rating`. `Easy` is not used."""

    AGAIN = 1
    HARD = 2
    GOOD = 3


def grade(answer: Answered) -> Grade:
    """Return the grade of an answer. Learners don't have to rate the difficulty themselves."""
    if not answer.correct:
        return Grade.AGAIN
    helped = answer.hinted or answer.guessed or answer.attempt > 1
    return Grade.HARD if helped else Grade.GOOD


def scheduled(before: Card | None, after: Card, grade: Grade) -> Card:
    """Return `after` with the schedule that results from an answer with `grade`.

    `after.last_at` is the time of the answer. `before` is the card before the answer, or None for
    the first answer.
    """
    from fsrs import Rating  # Importing fsrs takes 40 ms, and readers don't need it.

    reviewed, _ = _scheduler().review_card(_to_fsrs(before), Rating(grade), _time(after.last_at))
    return msgspec.structs.replace(
        after,
        due=(reviewed.due - _EPOCH).total_seconds(),
        stability=reviewed.stability,
        difficulty=reviewed.difficulty,
    )


def due_at(card: Card, retention: float) -> float:
    """Return the time when the recall of a card falls to `retention`, rounded to whole days.

    This is the due date that FSRS computes if `retention` is its desired retention.
    """
    if retention == RETENTION or card.stability is None:
        return card.due
    ratio = (retention ** (1 / _DECAY) - 1) / (RETENTION ** (1 / _DECAY) - 1)
    return card.due + (_days(card.stability * ratio) - _days(card.stability)) * _DAY


def _days(interval: float) -> int:
    return min(max(round(interval), 1), _LONGEST)


def recall(card: Card, at: float) -> float:
    """Return the probability (0 to 1) of a right answer at the time `at`."""
    if card.stability is None:
        return 0.0
    return float(_scheduler().get_card_retrievability(_to_fsrs(card), _time(at)))


@cache
def _scheduler() -> Scheduler:
    from fsrs import Scheduler

    return Scheduler(enable_fuzzing=False, learning_steps=(), relearning_steps=())


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
