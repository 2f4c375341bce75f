"""Shares (0 to 1) as cells of a map: five steps, each a glyph and a color, told apart without color
and in ASCII."""

from __future__ import annotations

from tutor.app.theme import LIKELY, LIKELY_BOUNDS, MUTED

GLYPHS = "·░▒▓█"
"""One for each step of `theme.LIKELY`."""

LEGEND = "· <1 %   ░ <5   ▒ <20   ▓ <60   █ more"


def cell(share: float, columns: int = 1) -> tuple[str, str]:
    """What is drawn for a share, with its style, so many columns wide."""
    step = sum(share >= bound for bound in LIKELY_BOUNDS)
    return GLYPHS[step] * columns, LIKELY[step] if step else MUTED


def percent(share: float) -> str:
    """A share in at most 7 characters: what is tiny here is beside the point."""
    return "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
