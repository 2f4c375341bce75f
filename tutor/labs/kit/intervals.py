"""Confidence intervals of proportions, as text and as lines on a scale from 0 to 100 %."""

from __future__ import annotations

from textual.content import Content

from tutor.app.theme import ACT
from tutor.labs.kit.proportions import wilson
from tutor.language import _


def percent_range(interval: tuple[float, float]) -> str:
    """Format an interval such as "70 to 97 %", right-aligned in 12 columns."""
    low, high = interval
    return _("{low:>4.0f} to {high:>3.0f} %").format(low=100 * low, high=100 * high)


def interval_line(count: int, of: int, width: int) -> Content:
    """Draw the proportion `count` / `of` as a point, and its confidence interval as a line.

    The line represents 0 to 100 % in `width` columns. If two lines are drawn one below the other,
    the reader sees whether the intervals overlap.
    """
    if of == 0 or width < 5:
        return Content(" " * width)
    low, high = (round(end * (width - 1)) for end in wilson(count, of))
    point = round(count / of * (width - 1))
    cells = [
        ("●", f"{ACT} bold") if at == point else ("━", ACT) if low <= at <= high else ("┄", "$rule")
        for at in range(width)
    ]
    return Content.assemble(*cells)
