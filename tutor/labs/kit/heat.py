"""Heat maps for the terminal, in which each cell shows a proportion from 0 to 1.

There are five levels. Each level has its own glyph and its own color, so a map is readable without
color.
"""

from __future__ import annotations

from tutor.app.theme import LIKELY, LIKELY_BOUNDS, MUTED, NOT_YET
from tutor.app.widgets.layout import first_that_fits
from tutor.language import _

GLYPHS = "·░▒▓█"
"""The glyph of each level, in the order of the colors in `theme.LIKELY`."""

LEGEND = _("· <1 %   ░ <5   ▒ <20   ▓ <60   █ more")


def cell(share: float, columns: int = 1) -> tuple[str, str]:
    """Return the glyph for the proportion `share`, repeated `columns` times, and its style."""
    step = sum(share >= bound for bound in LIKELY_BOUNDS)
    return GLYPHS[step] * columns, LIKELY[step] if step else MUTED


LOGIT_BOUNDS = (0.1, 0.3, 1.0, 3.0)
"""The absolute values, in logits, at which the glyph of a signed cell changes to the next."""
NEGATIVE_GLYPHS = "·-~xX"
"""The glyphs of negative values. They differ from `GLYPHS`, so that the sign is visible without
color."""


def signed_cell(logits: float, columns: int = 1) -> tuple[str, str]:
    """Return the glyph for a change of a logit, repeated `columns` times, and its style.

    There are four levels of positive values and four levels of negative values, and a dot for
    values near 0.
    """
    step = sum(abs(logits) >= bound for bound in LOGIT_BOUNDS)
    if logits < 0:
        return NEGATIVE_GLYPHS[step] * columns, NOT_YET if step else MUTED
    return GLYPHS[step] * columns, LIKELY[step] if step else MUTED


def signed_legend(width: int) -> str:
    """Return a legend for signed cells, in the longest version that fits into `width` cells."""
    bounds = [f"{bound:g}" for bound in LOGIT_BOUNDS]
    above, below = (
        [f"{glyph} {bound}" for glyph, bound in zip(glyphs[1:], bounds, strict=True)]
        for glyphs in (GLYPHS, NEGATIVE_GLYPHS)
    )
    long = _("raises by {above}   lowers by {below}").format(
        above="  ".join(above), below="  ".join(below)
    )
    both = zip(GLYPHS[1:], NEGATIVE_GLYPHS[1:], bounds, strict=True)
    short = "  ".join(f"{plus} {minus} {bound}" for plus, minus, bound in both)
    return first_that_fits([long], width, otherwise=short)


def percent(share: float) -> str:
    """Format a proportion as a percentage of at most 7 characters. Tiny values become `<0.1 %`."""
    return "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
