"""Draws proportions (0 to 1) as the cells of a heat map.

There are five levels, each with a glyph and a color. The glyphs differ, so the map is readable
without color.
"""

from __future__ import annotations

from tutor.app.theme import LIKELY, LIKELY_BOUNDS, MUTED
from tutor.language import _

GLYPHS = "·░▒▓█"
"""The glyph for each level of `theme.LIKELY`."""

LEGEND = _("· <1 %   ░ <5   ▒ <20   ▓ <60   █ more")


def cell(share: float, columns: int = 1) -> tuple[str, str]:
    """Return the glyph for `share`, repeated to fill `columns`, and its style."""
    step = sum(share >= bound for bound in LIKELY_BOUNDS)
    return GLYPHS[step] * columns, LIKELY[step] if step else MUTED


def percent(share: float) -> str:
    """Return `share` as a percentage of at most 7 characters. Tiny values become `<0.1 %`."""
    return "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
