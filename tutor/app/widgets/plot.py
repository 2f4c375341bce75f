"""Draw small plots with characters.

These are pure functions from numbers to lines of a known width. Curves are drawn with braille dots,
of which there are eight in a character.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, isfinite, log10
from typing import NamedTuple

from plotille import Canvas
from rich.cells import cell_len
from textual.content import Content

from tutor.app.theme import ACT, LIKELY, MUTED
from tutor.app.widgets.bars import LEVELS

YOU, MODEL, BOTH = "●", "○", "◆"
"""The marks at the end of the first curve, the second curve, and both."""
STYLES = (ACT, LIKELY[2])
"""The colors of the first and the second curve."""
_MARKS = (YOU, MODEL)
KEYS = ((f"──{YOU} ", STYLES[0]), (f"╌╌{MODEL} ", STYLES[1]))
"""The samples of both curves that precede their names in a legend."""
_EMPTY = "\u2800"
_DASH = 4
"""The length of a dash of the second curve, in dots."""
_DOTS = 2
"""The dots in a row of a character."""
_LEAST_HEIGHT = 5

Points = Sequence[tuple[float, float]]
"""The points of a curve, in ascending order of x."""


class Axis(NamedTuple):
    """An axis: its range, and the unit after its last number. `percent` shows 0.5 as 50."""

    low: float
    high: float
    unit: str = ""
    percent: bool = False

    def name(self, value: float) -> str:
        return f"{100 * value if self.percent else value:.4g}"


def up_to(greatest: float, unit: str = "") -> Axis:
    """Return an axis from 0 to a round number that is at least `greatest`."""
    if not isfinite(greatest) or greatest <= 0:
        return Axis(0.0, 1.0, unit)
    size: float = 10 ** floor(log10(greatest))
    top = next(step for step in (1, 2, 4, 6, 8, 10) if step * size >= greatest)
    return Axis(0.0, top * size, unit)


def curves(
    first: Points,
    second: Points,
    x: Axis,
    y: Axis,
    width: int,
    height: int,
    *,
    marked: bool = False,
) -> list[Content]:
    """Draw two curves and both axes on `height` lines of `width` columns.

    The first curve is solid and the second one dashed, and each ends with its mark, so they can be
    told apart without color. `marked` draws the mark of the first curve at each of its points.
    With fewer than `_LEAST_HEIGHT` lines, the horizontal axis is left out.
    """
    low = height < _LEAST_HEIGHT
    rows = max(1, height if low else height - 2)
    ticks = _ticks(y, rows)
    scale = max(cell_len(y.name(value)) for value in ticks.values())
    columns = max(1, width - scale - 2)
    cells = _cells((first, second), x, y, columns, rows, marked=marked)
    lines = []
    for row in range(rows):
        label = y.name(ticks[row]) if row in ticks else ""
        edge = f"{label:>{scale}} {'┤' if label else '│'}"
        lines.append(Content.assemble((edge, MUTED), *cells[row]))
    if not low:
        lines.append(Content.styled(f"{'':>{scale}} └{'─' * columns}", MUTED))
        lines.append(Content.styled(f"{'':>{scale + 2}}{_along(x, columns)}", MUTED))
    return lines


def legend(names: tuple[str, str], *, unit: str = "") -> Content:
    """Return a line with the mark, the color and the name of both curves, and the unit of y."""
    (first, second) = names
    return Content.assemble(KEYS[0], f"{first}   ", KEYS[1], f"{second}   ", (unit, MUTED))


def _ticks(y: Axis, rows: int) -> dict[int, float]:
    """Return the values that are named on the axis, by row."""
    ticks = {rows - 1: y.low, 0: y.high}
    if rows % 2 and rows > 3:
        ticks[rows // 2] = (y.low + y.high) / 2
    return ticks


def _along(x: Axis, columns: int) -> str:
    """Return the line below the horizontal axis, with its first and last number and its unit."""
    first, last = x.name(x.low), f"{x.name(x.high)} {x.unit}".rstrip()
    middle = x.name((x.low + x.high) / 2)
    room = columns - len(first) - len(last)
    if room < 1:
        return last.rjust(columns)[:columns]
    if room < len(middle) + 8:
        return first + " " * room + last
    left = columns // 2 - len(first) - len(middle) // 2
    return first + " " * left + middle + " " * (room - left - len(middle)) + last


def _cells(
    of: Sequence[Points], x: Axis, y: Axis, columns: int, rows: int, *, marked: bool
) -> list[list[tuple[str, str]]]:
    """Return each row of the plot as characters with their styles."""
    dots = [_dots(points, x, y, columns, rows, dashed=at > 0) for at, points in enumerate(of)]
    grid = []
    for one, other in zip(*dots, strict=True):
        grid.append([_merged(a, b) for a, b in zip(one, other, strict=True)])
    for at, points in reversed(list(enumerate(of))):
        for point in points if marked and not at else points[-1:]:
            row, column = _cell_of(point, x, y, columns, rows)
            taken = grid[row][column][0] == _MARKS[1 - at]
            grid[row][column] = (BOTH if taken else _MARKS[at], f"bold {STYLES[at]}")
    return grid


def _merged(first: str, second: str) -> tuple[str, str]:
    """Return a character with the dots of both, in the color of the first curve that has dots."""
    both = chr(ord(first) | ord(second))
    if both == _EMPTY:
        return " ", ""
    return both, STYLES[0] if first != _EMPTY else STYLES[1]


def _dots(points: Points, x: Axis, y: Axis, columns: int, rows: int, *, dashed: bool) -> list[str]:
    """Return the rows of a curve in braille. A dashed curve has a gap after each dash."""
    canvas = Canvas(columns, rows, xmin=x.low, xmax=x.high, ymin=y.low, ymax=y.high)
    for (x0, y0), (x1, y1) in pairwise(_resampled(points, x, columns) if dashed else points):
        place = (x0 + x1) / 2 - x.low
        if not dashed or int(place / (x.high - x.low) * columns * _DOTS / _DASH) % 2 == 0:
            canvas.line(x0, _within(y0, y), x1, _within(y1, y))
    if len(points) == 1:
        canvas.point(points[0][0], _within(points[0][1], y))
    return [line.ljust(columns, _EMPTY)[:columns] for line in canvas.plot(linesep="\n").split("\n")]


def _resampled(points: Points, x: Axis, columns: int) -> Points:
    """Return a point of the curve for each column of dots, by linear interpolation."""
    found: list[tuple[float, float]] = []
    steps = columns * _DOTS - 1
    for (x0, y0), (x1, y1) in pairwise(points):
        first = ceil((x0 - x.low) / (x.high - x.low) * steps)
        last = floor((x1 - x.low) / (x.high - x.low) * steps)
        found.append((x0, y0))
        for step in range(first, last + 1):
            at = x.low + step / steps * (x.high - x.low)
            found.append((at, y0 + (y1 - y0) * (at - x0) / (x1 - x0)))
    return [*found, *points[-1:]]


def _within(value: float, axis: Axis) -> float:
    return min(max(value, axis.low), axis.high)


def _cell_of(
    point: tuple[float, float], x: Axis, y: Axis, columns: int, rows: int
) -> tuple[int, int]:
    across = (_within(point[0], x) - x.low) / (x.high - x.low)
    up = (_within(point[1], y) - y.low) / (y.high - y.low)
    return round((1 - up) * (rows - 1)), round(across * (columns - 1))


def averaged(values: Sequence[float], over: int) -> list[float]:
    """Smooth values: replace each with the mean of up to `over` values that end with it."""
    means = []
    for end in range(1, len(values) + 1):
        window = values[max(0, end - over) : end]
        means.append(sum(window) / len(window))
    return means


def columns(counts: Sequence[int], width: int, height: int = 1) -> list[str]:
    """Draw each count as a vertical bar below its number, on `height` + 1 lines.

    Each bar takes `width` columns.
    """
    most = max([1, *counts])
    lines = upright([count / most for count in counts], height, 1)
    return [
        "".join(f"{count or '·':>{width}}" for count in counts),
        *("".join(f"{character * (width - 1):>{width}}" for character in line) for line in lines),
    ]


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
