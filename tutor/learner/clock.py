"""The one clock that progress and reviews go by, so that a test can hold another."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

Clock = Callable[[], float]
"""Says how many seconds have passed since 1970 (UTC)."""


LATEST = 7.2e9
"""No time counts as later (the year 2198), so that dates stay dates."""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""As `datetime.weekday` counts them."""


def now() -> float:
    return time.time()


def sensible(at: float) -> float:
    """`at`, or the nearest time that has a date: a clock may have been set to anything once."""
    return min(max(at, 0.0), LATEST)


def midnights(at: float, count: int) -> list[float]:
    """When the learner's day, the one that `at` is in, begins, and when each of `count` days from
    then on ends."""
    begin = datetime.fromtimestamp(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return [(begin + timedelta(days=number)).timestamp() for number in range(count + 1)]


def day_number(at: float, zone: int | None = None) -> int:
    """The day that `at` is in, counted from 1970. `zone` is the offset from UTC in minutes, 0
    when None."""
    return int((sensible(at) + (zone or 0) * 60) // 86_400)


def local_day_number(at: float) -> int:
    return datetime.fromtimestamp(at).toordinal() - datetime(1970, 1, 1).toordinal()
