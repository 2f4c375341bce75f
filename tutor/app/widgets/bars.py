"""Draw bars with block characters.

These pure functions convert fractions to text of a fixed width. A bar is padded with spaces to its
full width, so that the text next to it stays in place when the bar changes.
"""

from __future__ import annotations

import math

_EIGHTHS = " ▏▎▍▌▋▊▉"
LEVELS = "▁▂▃▄▅▆▇█"
BITS_A_LEVEL = 2.0
"""The surprisal, in bits, that each step of `level` represents. The top step begins at 14 bits."""


def bar(fraction: float, width: int) -> str:
    """Draw a bar that fills `fraction` (0 to 1) of `width` cells, and pad it with spaces.

    The length is exact to an eighth of a cell. A fraction above zero always draws at least the
    thinnest stroke, so that a possible event never looks impossible.
    """
    full, rest = divmod(_eighths(fraction, width), 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def change(before: float, after: float, width: int) -> tuple[str, str, str]:
    """Draw a bar that has changed, as three strings: the part that stays, the gain, and the loss.

    Together, the strings are exactly `width` cells wide.
    """
    if after <= before:
        solid = bar(after, width).rstrip()
        reach = len(bar(before, width).rstrip())
        lost = "╌" * (reach - len(solid))
        return solid, "", lost.ljust(width - len(solid))
    reach = len(bar(after, width).rstrip())
    solid = "█" * (_eighths(before, width) // 8)
    gained = "▒" * (reach - len(solid))
    return solid, gained, " " * (width - reach)


def two_sided(fraction: float, half: int) -> tuple[str, str]:
    """Draw a bar to the left (for a negative `fraction`) or to the right of an axis.

    `fraction` is from -1 to 1. Returns the text on both sides of the axis, each exactly `half`
    cells wide. The left side is exact to half a cell, because there are no finer characters, so a
    value near zero has no bar. Callers should therefore show the signed number next to the bar.
    """
    if fraction >= 0:
        return " " * half, bar(fraction, half)
    halves = round(min(-fraction, 1.0) * half * 2)
    return ("▐" * (halves % 2) + "█" * (halves // 2)).rjust(half), " " * half


def level(bits: float) -> str:
    """Return a block character whose height shows a surprisal, in steps of `BITS_A_LEVEL` bits."""
    step = len(LEVELS) - 1 if math.isinf(bits) else int(bits / BITS_A_LEVEL)
    return LEVELS[min(max(step, 0), len(LEVELS) - 1)]


def _eighths(fraction: float, width: int) -> int:
    fraction = 0.0 if math.isnan(fraction) else min(max(fraction, 0.0), 1.0)
    least = 1 if fraction > 0 and width > 0 else 0
    return max(least, round(fraction * width * 8))
