"""Draw small plots with characters.

These are pure functions from numbers to lines of a known width.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tutor.app.widgets.bars import LEVELS

YOU, MODEL, BOTH = "●", "○", "◆"
"""The symbols for points on each curve and on both. They can be told apart without color."""


def two_curves(you: Sequence[float], model: Sequence[float], height: int) -> list[str]:
    """Plot two curves of the same length, with values from 0 up.

    The plot is `height` lines high, with one column per value and the scale on the left.
    """
    top = max([1.0, *you, *model])
    rows = [[" "] * len(you) for _ in range(height)]
    for column, pair in enumerate(zip(you, model, strict=True)):
        mine, its = (height - 1 - round(value / top * (height - 1)) for value in pair)
        rows[its][column] = MODEL
        rows[mine][column] = BOTH if mine == its else YOU
    label = {0: f"{top:.1f}", height - 1: "0"}
    return [f"{label.get(at, ''):>5} │{''.join(row)}" for at, row in enumerate(rows)]


def averaged(values: Sequence[float], over: int) -> list[float]:
    """Smooth values: replace each with the mean of up to `over` values that end with it."""
    means = []
    for end in range(1, len(values) + 1):
        window = values[max(0, end - over) : end]
        means.append(sum(window) / len(window))
    return means


def columns(counts: Sequence[int], width: int) -> tuple[str, str]:
    """Draw each count as a number and, on a second line, as a bar. Each takes `width` cells."""
    most = max([1, *counts])
    bars = (
        LEVELS[-(-count * (len(LEVELS) - 1) // most)] * (width - 1) if count else ""
        for count in counts
    )
    return (
        "".join(f"{count or '·':>{width}}" for count in counts),
        "".join(f"{bar:>{width}}" for bar in bars),
    )


def upright(values: Sequence[float], height: int, size: int) -> list[str]:
    """Draw a vertical bar for each value (0 to 1), exact to an eighth of a line.

    Bars are `size` columns wide and up to `height` lines high. The top line comes first. Any value
    above 0 shows at least the lowest stroke.
    """
    steps = len(LEVELS)
    filled = [max(value > 0, round(min(max(value, 0.0), 1.0) * height * steps)) for value in values]
    lines = []
    for line in range(height - 1, -1, -1):
        levels = (min(max(eighths - line * steps, 0), steps) for eighths in filled)
        lines.append("".join((LEVELS[level - 1] if level else " ") * size for level in levels))
    return lines


def trend(values: Sequence[float], width: int) -> str:
    """Draw values as a sparkline of at most `width` characters.

    Each character shows the mean of an equal part of the values, scaled between the lowest and the
    highest mean.
    """
    count = min(width, len(values))
    cuts = [round(part * len(values) / count) for part in range(count + 1)] if count else []
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(cuts)]
    low, high = (min(means), max(means)) if means else (0.0, 0.0)
    top = len(LEVELS) - 1
    return "".join(LEVELS[round((mean - low) / (high - low or 1) * top)] for mean in means)
