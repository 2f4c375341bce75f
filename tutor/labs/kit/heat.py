"""Draws proportions (0 to 1) as the cells of a heat map.

There are five steps, each with a glyph and a color. The glyphs differ, so color is not needed.
"""

from __future__ import annotations

from tutor.app.theme import LIKELY, LIKELY_BOUNDS, MUTED

GLYPHS = "·░▒▓█"
"""One for each step of `theme.LIKELY`."""

LEGEND = "· <1 %   ░ <5   ▒ <20   ▓ <60   █ more"


def cell(share: float, columns: int = 1) -> tuple[str, str]:
    """Return the glyphs that show `share` in `columns` columns, and their style."""
    step = sum(share >= bound for bound in LIKELY_BOUNDS)
    return GLYPHS[step] * columns, LIKELY[step] if step else MUTED


def percent(share: float) -> str:
    """Return `share` as a percentage of at most 7 characters; tiny values show as `<0.1 %`."""
    return "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
