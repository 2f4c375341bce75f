"""Define the clock that progress and reviews use. Tests can replace it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

Clock = Callable[[], float]
"""A function that returns the current time in seconds since 1970 (UTC)."""


LATEST = 7.2e9
"""The latest supported time, in seconds since 1970. It is in the year 2198.

Some systems cannot convert later times to a date.
"""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""The abbreviated names of the weekdays, indexed by `datetime.weekday`."""


def now() -> float:
    return time.time()


def sensible(at: float) -> float:
    """Return `at`, clamped to the range of times that can be converted to a date.

    A clock that is set wrong can return times outside of this range.
    """
    return min(max(at, 0.0), LATEST)


def midnights(at: float, count: int) -> list[float]:
    """Return the midnights that separate `count` local days, in seconds since 1970.

    The result also includes the midnights before the first day and after the last day. The first
    day is the day that contains `at`.
    """
    begin = datetime.fromtimestamp(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return [(begin + timedelta(days=number)).timestamp() for number in range(count + 1)]


def day_number(at: float, zone: int | None = None) -> int:
    """Return the number of days from 1970-01-01 to the day that contains `at`.

    `zone` is the local time's offset from UTC in minutes, and None means 0.
    """
    return int((sensible(at) + (zone or 0) * 60) // 86_400)


def local_day_number(at: float) -> int:
    return datetime.fromtimestamp(at).toordinal() - datetime(1970, 1, 1).toordinal()
