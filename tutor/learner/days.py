"""On which days a learner answered something: as many bits as days are kept."""

from typing import Annotated

import msgspec

KEPT = 730


class Days(msgspec.Struct, frozen=True):
    """`last` is the last day with an answer, counted from 1970. Bit n of `active` (hexadecimal)
    says whether there was one n days earlier."""

    last: int = 0
    active: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]*$", max_length=KEPT // 4 + 1)] = ""


def with_day(days: Days, day: int) -> Days:
    """In whatever order days are added, the same ones give the same."""
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
    """How many days in a row had an answer, up to today or, while today has none, yesterday."""
    back = today - days.last
    if back > 1:
        return 0
    bits = _bits(days) >> max(0, -back)  # a clock that was ahead may have left later days
    if back < 0 and not bits & 1:
        bits >>= 1
    count = 0
    while bits & 1:
        bits, count = bits >> 1, count + 1
    return count


def active_days(days: Days, today: int, count: int) -> int:
    """On how many of the last `count` days, today included, there was an answer."""
    back = today - days.last
    bits = _bits(days) << back if 0 <= back < count else _bits(days) >> max(0, -back)
    return (bits & (1 << count) - 1).bit_count() if back < count else 0


def _bits(days: Days) -> int:
    return int(days.active or "0", 16)
