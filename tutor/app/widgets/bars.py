"""Bars out of block characters. Pure functions: fractions in, text of a known width out.

Every bar is padded to its width, so that nothing beside it moves when it changes. The ASCII
variants are for terminals whose font lacks block characters.
"""

from __future__ import annotations

import math

_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = ".:-=+*#@"
BITS_A_LEVEL = 2.0
"""Surprisal that one step of `level` stands for: the top step begins at 14 bits."""


def bar(fraction: float, width: int, *, ascii_only: bool = False) -> str:
    """`fraction` (0 to 1) of `width` cells, to an eighth of a cell, padded with spaces.

    Anything above zero shows at least the thinnest stroke: nothing possible looks impossible.
    """
    eighths = _eighths(fraction, width, ascii_only)
    if ascii_only:
        return ("#" * (eighths // 8)).ljust(width)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def change(
    before: float, after: float, width: int, *, ascii_only: bool = False
) -> tuple[str, str, str]:
    """A bar that changed: what stayed of it, what it gained, and what it lost with the padding.
    Together exactly `width` cells."""
    if after <= before:
        solid = bar(after, width, ascii_only=ascii_only).rstrip()
        reach = len(bar(before, width, ascii_only=ascii_only).rstrip())
        lost = ("-" if ascii_only else "╌") * (reach - len(solid))
        return solid, "", lost.ljust(width - len(solid))
    reach = len(bar(after, width, ascii_only=ascii_only).rstrip())
    solid = ("#" if ascii_only else "█") * (_eighths(before, width, ascii_only) // 8)
    gained = ("+" if ascii_only else "▒") * (reach - len(solid))
    return solid, gained, " " * (width - reach)


def level(bits: float, *, ascii_only: bool = False) -> str:
    """One character whose height says how surprising something was, `BITS_A_LEVEL` a step."""
    levels = _ASCII_LEVELS if ascii_only else _LEVELS
    step = len(levels) - 1 if math.isinf(bits) else int(bits / BITS_A_LEVEL)
    return levels[min(max(step, 0), len(levels) - 1)]


def _eighths(fraction: float, width: int, ascii_only: bool) -> int:
    fraction = min(max(fraction, 0.0), 1.0)
    exact = fraction * width * 8
    least = (8 if ascii_only else 1) if fraction > 0 and width > 0 else 0
    eighths = max(least, round(exact))
    return (eighths + 4) // 8 * 8 if ascii_only else eighths
