"""Draw small plots with characters.

These pure functions convert numbers to lines of a fixed width. Curves are drawn with braille
characters, which have eight dots each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import floor, isfinite, log10
from typing import NamedTuple

from plotille import Canvas
from rich.cells import cell_len
from textual.content import Content

from tutor.app.theme import ACT, LIKELY, MUTED
from tutor.app.widgets.bars import LEVELS
from tutor.language import _

YOU, MODEL, BOTH = "●", "○", "◆"
"""The marks for the end of the first curve, of the second, and of both at the same point."""
STYLES = (ACT, LIKELY[2])
"""The colors of the first and second curve."""
_MARKS = (YOU, MODEL)
KEYS = ((f"──{YOU} ", STYLES[0]), (f"╌╌{MODEL} ", STYLES[1]))
"""The samples of the two curves in a legend, each followed by the name of the curve."""
_EMPTY = "\u2800"
_DASH = 4
"""The length of a dash in the second curve, in dots."""
_ACROSS, _UP = 2, 4
"""The number of dots in the width of a character, and in its height."""
_LEAST_HEIGHT = 5

Points = Sequence[tuple[float, float]]
"""The points of a curve, sorted by x."""
Dot = tuple[int, int]
"""The position of a dot: its column from the left, and its row from the bottom."""


class Axis(NamedTuple):
    """An axis with a range, and a unit that is shown after the last number.

    If `percent` is true, a value of 0.5 is shown as 50.
    """

    low: float
    high: float
    unit: str = ""
    percent: bool = False

    def name(self, value: float) -> str:
        return f"{100 * value if self.percent else value:.4g}"

    def part(self, value: float, steps: int) -> int:
        """Return the position of `value` on the axis, as the nearest of `steps` equal steps."""
        part = (value - self.low) / (self.high - self.low)
        return round(min(max(part, 0.0), 1.0) * steps)


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
    """Draw two curves and the axes, in `height` lines of `width` columns.

    The first curve is solid, the second is dashed, and each ends with its own mark. They can
    therefore be told apart without colors. If `marked` is true, every point of the first curve has
    its mark. With fewer than `_LEAST_HEIGHT` lines, the plot has no horizontal axis.
    """
    low = height < _LEAST_HEIGHT
    rows = max(1, height if low else height - 2)
    ticks = _ticks(y, rows)
    scale = _scale(y, rows)
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


def mark_below(value: float, x: Axis, y: Axis, width: int, height: int) -> Content:
    """Draw a line with a mark below `value` on the horizontal axis of a plot of this size."""
    left = _scale(y, height if height < _LEAST_HEIGHT else height - 2) + 2
    columns = max(1, width - left)
    at = left + x.part(value, columns * _ACROSS - 1) // _ACROSS
    return Content.styled(" " * at + "▲", f"{ACT} bold")


def legend(names: tuple[str, str], drawn: Sequence[Content] = (), *, unit: str = "") -> Content:
    """Draw a legend: the mark, the color and the name of each curve, and the unit of y.

    If the plot in `drawn` has a mark for both curves at the same point, the legend explains it.
    """
    (first, second) = names
    both = (
        _("{mark} both   ").format(mark=BOTH) if any(BOTH in each.plain for each in drawn) else ""
    )
    return Content.assemble(KEYS[0], f"{first}   ", KEYS[1], f"{second}   ", both, (unit, MUTED))


def _scale(y: Axis, rows: int) -> int:
    """Return the width of the labels on the vertical axis."""
    return max(cell_len(y.name(value)) for value in _ticks(y, rows).values())


def _ticks(y: Axis, rows: int) -> dict[int, float]:
    """Return the values to show on the vertical axis, by row."""
    ticks = {rows - 1: y.low, 0: y.high}
    if rows % 2 and rows > 3:
        ticks[rows // 2] = (y.low + y.high) / 2
    return ticks


def _along(x: Axis, columns: int) -> str:
    """Return the labels of the horizontal axis: its first and last value, and the unit."""
    first, last = x.name(x.low), f"{x.name(x.high)} {x.unit}".rstrip()
    half = (x.low + x.high) / 2
    middle = x.name(half) if x.percent or half == round(half) else ""
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
    """Return the rows of the plot as pairs of a character and its style."""
    width, height = columns * _ACROSS, rows * _UP
    dots = [[(x.part(a, width - 1), y.part(b, height - 1)) for a, b in points] for points in of]
    drawn = [_drawn(each, columns, rows, dashed=at > 0) for at, each in enumerate(dots)]
    grid = [
        [_merged(first, second) for first, second in zip(*lines, strict=True)]
        for lines in zip(*drawn, strict=True)
    ]
    for at in (1, 0):
        for across, up in dots[at] if marked and not at else dots[at][-1:]:
            row = grid[rows - 1 - up // _UP]
            taken = row[across // _ACROSS][0] == _MARKS[1 - at]
            row[across // _ACROSS] = (BOTH if taken else _MARKS[at], f"bold {STYLES[at]}")
    return grid


def _merged(first: str, second: str) -> tuple[str, str]:
    """Merge two braille characters, and return the result with its style.

    The second curve, which is dashed, determines the color. In the gaps between its dashes, the
    color of the first curve is visible.
    """
    both = chr(ord(first) | ord(second))
    if both == _EMPTY:
        return " ", ""
    return both, STYLES[second != _EMPTY]


def _drawn(dots: Sequence[Dot], columns: int, rows: int, *, dashed: bool) -> list[str]:
    """Draw a curve through these dots in braille, as rows from top to bottom."""
    canvas = Canvas(columns, rows, xmax=columns * _ACROSS, ymax=rows * _UP)
    for (x0, y0), (x1, y1) in pairwise(_every_column(dots) if dashed else dots):
        if not dashed or x0 // _DASH % 2 == 0:
            canvas.line(x0, y0, x1, y1)
    if len(dots) == 1:
        canvas.point(*dots[0])
    return [line.ljust(columns, _EMPTY) for line in canvas.plot(linesep="\n").split("\n")]


def _every_column(dots: Sequence[Dot]) -> Sequence[Dot]:
    """Add dots by linear interpolation, so that each column of dots has one."""
    found = [
        (x, round(y0 + (y1 - y0) * (x - x0) / (x1 - x0)))
        for (x0, y0), (x1, y1) in pairwise(dots)
        for x in range(x0, x1)
    ]
    return [*found, *dots[-1:]]


def averaged(values: Sequence[float], over: int) -> list[float]:
    """Smooth values. Each becomes the mean of the last `over` values, including itself."""
    means = []
    for end in range(1, len(values) + 1):
        window = values[max(0, end - over) : end]
        means.append(sum(window) / len(window))
    return means


def columns(counts: Sequence[int], width: int, height: int = 1) -> list[str]:
    """Draw a bar chart with the counts above the bars, in `height` + 1 lines.

    Each bar is `width` columns wide.
    """
    most = max([1, *counts])
    lines = upright([count / most for count in counts], height, 1)
    return [
        "".join(f"{count or '·':>{width}}" for count in counts),
        *("".join(f"{character * (width - 1):>{width}}" for character in line) for line in lines),
    ]


def upright(values: Sequence[float], height: int, size: int) -> list[str]:
    """Draw a vertical bar for each value (0 to 1), exact to an eighth of a line.

    Bars are `size` columns wide and up to `height` lines high. The first line is the top line. A
    value above 0 always draws at least the lowest stroke.
    """
    steps = len(LEVELS)
    filled = [max(value > 0, round(min(max(value, 0.0), 1.0) * height * steps)) for value in values]
    lines = []
    for line in range(height - 1, -1, -1):
        levels = (min(max(eighths - line * steps, 0), steps) for eighths in filled)
        lines.append("".join((LEVELS[level - 1] if level else " ") * size for level in levels))
    return lines


def trend(values: Sequence[float], width: int) -> str:
    """Draw a sparkline of at most `width` characters.

    The values are divided into equal parts, and each character shows the mean of one part. The
    scale is from the lowest to the highest mean.
    """
    count = min(width, len(values))
    cuts = [round(part * len(values) / count) for part in range(count + 1)] if count else []
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(cuts)]
    low, high = (min(means), max(means)) if means else (0.0, 0.0)
    top = len(LEVELS) - 1
    return "".join(LEVELS[round((mean - low) / (high - low or 1) * top)] for mean in means)
