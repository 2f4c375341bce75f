"""Record the days on which a learner answered a question, one bit per day."""

from typing import Annotated

import msgspec

KEPT = 730


class Days(msgspec.Struct, frozen=True):
    """The latest days and whether they had an answer.

    `last` is the latest day with an answer, counted from 1970. Bit n of `active` (hexadecimal)
    is set if there was an answer n days earlier.
    """

    last: int = 0
    active: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]*$", max_length=KEPT // 4 + 1)] = ""


def with_day(days: Days, day: int) -> Days:
    """Return `days` with one more day; the order in which days are added does not matter."""
    bits, back = _bits(days), days.last - day
    if back < 0:
        bits = bits << -back if -back < KEPT else 0
        last, bits = day, bits | 1
    elif back < KEPT:
        last, bits = days.last, bits | 1 << back
    else:
        return days
    return Days(last, f"{bits & (1 << KEPT) - 1:x}")


def streak(days: Days, today: int) -> int:
    """Return the number of days in a row with an answer, up to today or yesterday.

    Yesterday counts as the end only if today has no answer yet.
    """
    back = today - days.last
    if back > 1:
        return 0
    bits = _bits(days) >> max(0, -back)  # a clock that was fast may have recorded later days
    if back < 0 and not bits & 1:
        bits >>= 1
    count = 0
    while bits & 1:
        bits, count = bits >> 1, count + 1
    return count


def active_days(days: Days, today: int, count: int) -> int:
    """Return the number of the last `count` days, including today, that had an answer."""
    back = today - days.last
    bits = _bits(days) << back if 0 <= back < count else _bits(days) >> max(0, -back)
    return (bits & (1 << count) - 1).bit_count() if back < count else 0


def _bits(days: Days) -> int:
    return int(days.active or "0", 16)
