"""Check the values of an event from another machine; decoding checks only the types."""

import math
import re
from collections.abc import Iterable

from tutor.learner.records import (
    Answered,
    Forgotten,
    GoalReached,
    Guessed,
    LabDone,
    LessonRead,
    LogEvent,
    Predicted,
    Suspended,
    Undone,
)

LONGEST_NAME = 200
LONGEST_TEXT = 1_000_000
MOST_NAMES = 10_000
AHEAD = 400 * 86_400.0
"""Seconds that the clock of another machine may be ahead.

A clock that was wrong by a year must not make its answers, and the rest of the export, impossible
to import.
"""

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class Refused(Exception):
    """A value that cannot be right; the argument completes "the file contains ..."."""


def check_event(event: LogEvent, now: float) -> None:
    """Raise `Refused` if `event` contains an invalid value."""
    if not _ID.fullmatch(event.id):
        raise Refused("an event without an id")
    _time(event.at, now)
    match event:
        case Answered():
            _names((event.question, event.lesson))
            _number("version", event.version, 1, 1e6)
            _number("attempt", event.attempt, 1, 1e6)
            _number("time zone", event.zone or 0, -1440, 1440)
            _text(event.answer)
        case Undone():
            _names((event.answer, event.question))
        case Suspended():
            _names((event.question,))
        case Forgotten():
            _names((event.lesson, *event.questions))
        case LabDone():
            _names((event.lab, event.lesson))
        case GoalReached():
            _names((event.lab, event.lesson, event.goal))
        case Predicted():
            _names((event.prediction, event.lesson))
            _text(event.guess)
            _text(event.answer)
            _number("distance", event.off or 0.0, -1, 1)
        case LessonRead():
            _names((event.lesson,))
        case Guessed():
            for text in (event.text, event.guess, event.actual):
                _text(text)
            _number("rank", event.rank, 1, 1e9)
            _number("number of bits", event.learner_bits, 0, 1e6)
            _number("number of bits", event.model_bits, 0, 1e6)


def check_place(
    lesson: str, screen: str, seen: tuple[str, ...], visited_at: float, now: float
) -> None:
    """Raise `Refused` if a place in a lesson contains an invalid value."""
    _names((lesson, *seen))
    if screen:
        _names((screen,))
    _time(visited_at, now)


def _time(at: float, now: float) -> None:
    if not (math.isfinite(at) and at >= 0):
        raise Refused(f"a time of {at:g} seconds since 1970")
    if at > now + AHEAD:
        raise Refused(
            f"a time {(at - now) / 86_400:,.0f} days in the future, by the clock of this machine"
        )


def _names(names: Iterable[str]) -> None:
    names = tuple(names)
    if len(names) > MOST_NAMES:
        raise Refused(f"a list of {len(names):,} names")
    for name in names:
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise Refused(f"a name of {len(name):,} characters, or with a control character")


def _text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise Refused(f"a text of {len(text):,} characters")


def _number(what: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise Refused(
            f"a {what} of {value:g}"
            if abs(value) < 1e300
            else f"a {what} that is infinite or not a number"
        )
