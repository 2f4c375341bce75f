"""Store the days on which a learner answered questions, using one bit per day."""

from typing import Annotated

import msgspec

KEPT = 730


class Days(msgspec.Struct, frozen=True):
    """The days on which the learner recently answered a question.

    `last` is the latest of these days, as the number of days since 1970-01-01. `active` is a
    hexadecimal number. Its bit n is set if the learner answered a question n days before `last`.
    """

    last: int = 0
    active: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]*$", max_length=KEPT // 4 + 1)] = ""


def with_day(days: Days, day: int) -> Days:
    """Return `days` with `day` added. Days can be added in any order."""
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
    """Return the number of consecutive days with an answer, up to today or yesterday.

    If there is no answer yet today, a streak that ended yesterday still counts.
    """
    back = today - days.last
    if back > 1:
        return 0
    # If the clock was once ahead, some of the recorded days may be in the future.
    bits = _bits(days) >> max(0, -back)
    if back < 0 and not bits & 1:
        bits >>= 1
    count = 0
    while bits & 1:
        bits, count = bits >> 1, count + 1
    return count


def active_days(days: Days, today: int, count: int) -> int:
    """Return the number of days, among the last `count` including today, with an answer."""
    back = today - days.last
    bits = _bits(days) << back if 0 <= back < count else _bits(days) >> max(0, -back)
    return (bits & (1 << count) - 1).bit_count() if back < count else 0


def _bits(days: Days) -> int:
    return int(days.active or "0", 16)
