"""Heat maps for the terminal, in which each cell shows a proportion from 0 to 1.

There are five levels. Each level has its own glyph and its own color, so a map is readable without
color.
"""

from __future__ import annotations

from tutor.app.theme import LIKELY, LIKELY_BOUNDS, MUTED
from tutor.language import _

GLYPHS = "·░▒▓█"
"""The glyph of each level, in the order of the colors in `theme.LIKELY`."""

LEGEND = _("· <1 %   ░ <5   ▒ <20   ▓ <60   █ more")


def cell(share: float, columns: int = 1) -> tuple[str, str]:
    """Return the glyph for the proportion `share`, repeated `columns` times, and its style."""
    step = sum(share >= bound for bound in LIKELY_BOUNDS)
    return GLYPHS[step] * columns, LIKELY[step] if step else MUTED


def percent(share: float) -> str:
    """Format a proportion as a percentage of at most 7 characters. Tiny values become `<0.1 %`."""
    return "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
