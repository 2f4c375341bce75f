"""Draws a proportion and its confidence interval on a line from 0 to 100 %."""

from __future__ import annotations

from textual.content import Content

from tutor.app.theme import ACT
from tutor.labs.kit.proportions import wilson
from tutor.language import _


def percent_range(interval: tuple[float, float]) -> str:
    """Return an interval such as "70 to 97 %", right-aligned in 12 columns."""
    low, high = interval
    return _("{low:>4.0f} to {high:>3.0f} %").format(low=100 * low, high=100 * high)


def interval_line(count: int, of: int, width: int) -> Content:
    """Draw `count` of `of` as a point inside its confidence interval, in `width` columns.

    Drawn below each other, two of these lines show whether their intervals overlap.
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
