"""Check the values of events that come from another machine.

Decoding an event checks only the types of its fields.
"""

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
"""The maximum number of seconds that another machine's clock may be ahead of this machine's clock.

The limit is more than a year. An export can therefore be imported even if the clock of the other
machine was once set to the wrong year.
"""

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class Refused(Exception):
    """An invalid value in a file. The message completes the sentence "The file contains …"."""


def check_event(event: LogEvent, now: float) -> None:
    """Raise `Refused` if `event` contains an invalid value."""
    if not _ID.fullmatch(event.id):
        raise Refused("an event with a missing or invalid id")
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
            _number("surprisal", event.learner_bits, 0, 1e6)
            _number("surprisal", event.model_bits, 0, 1e6)


def check_place(
    lesson: str, screen: str, seen: tuple[str, ...], visited_at: float, now: float
) -> None:
    """Raise `Refused` if a learner's position in a lesson contains an invalid value."""
    _names((lesson, *seen))
    if screen:
        _names((screen,))
    _time(visited_at, now)


def _time(at: float, now: float) -> None:
    if not (math.isfinite(at) and at >= 0):
        raise Refused(f"an invalid time ({at:g} seconds since 1970)")
    if at > now + AHEAD:
        raise Refused(
            f"a time that is {(at - now) / 86_400:,.0f} days ahead of this machine's clock"
        )


def _names(names: Iterable[str]) -> None:
    names = tuple(names)
    if len(names) > MOST_NAMES:
        raise Refused(f"a list of {len(names):,} names (the limit is {MOST_NAMES:,})")
    for name in names:
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise Refused(
                f"a name that is empty, longer than {LONGEST_NAME} characters, or not printable"
            )


def _text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise Refused(f"text with {len(text):,} characters (the limit is {LONGEST_TEXT:,})")


def _number(what: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise Refused(
            f"an invalid {what} ({value:g})"
            if abs(value) < 1e300
            else f"an invalid {what} (infinite or not a number)"
        )
