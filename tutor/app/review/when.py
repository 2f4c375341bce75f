"""A moment to come, in words."""

from __future__ import annotations

from tutor.learner.clock import local_day_number
from tutor.text import counted

_MINUTE, _HOUR = 60.0, 3600.0


def when(at: float, now: float) -> str:
    """ "in 10 minutes", "tomorrow", "in 3 days": days are those of the learner's clock."""
    days = local_day_number(at) - local_day_number(now)
    if days > 59:
        return f"in {round(days / 30.4)} months"
    if days > 1:
        return f"in {days} days"
    if days == 1:
        return "tomorrow"
    seconds = at - now
    if seconds <= 0:
        return "now"
    if seconds < 1.5 * _HOUR:
        minutes = max(1, round(seconds / _MINUTE))
        return f"in {counted(minutes, 'minute')}"
    return "later today"
