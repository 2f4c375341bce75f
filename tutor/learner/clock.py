"""The clock that progress and reviews use; tests can replace it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

Clock = Callable[[], float]
"""A function that returns the seconds since 1970 (UTC)."""


LATEST = 7.2e9
"""The latest time that counts (in the year 2198); later ones might have no date."""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""The names of the days, indexed by `datetime.weekday`."""


def now() -> float:
    return time.time()


def sensible(at: float) -> float:
    """Return `at`, clamped to the times that can be converted to a date.

    A clock may have been set wrong.
    """
    return min(max(at, 0.0), LATEST)


def midnights(at: float, count: int) -> list[float]:
    """Return the beginning of the learner's day that contains `at`, and the ends of `count` days.

    The first of these days is the day that contains `at`.
    """
    begin = datetime.fromtimestamp(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return [(begin + timedelta(days=number)).timestamp() for number in range(count + 1)]


def day_number(at: float, zone: int | None = None) -> int:
    """Return the day that contains `at`, counted from 1970.

    `zone` is the offset from UTC in minutes, 0 if None.
    """
    return int((sensible(at) + (zone or 0) * 60) // 86_400)


def local_day_number(at: float) -> int:
    return datetime.fromtimestamp(at).toordinal() - datetime(1970, 1, 1).toordinal()
