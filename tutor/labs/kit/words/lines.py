"""What the labs about embeddings write alike: cosines, their bars, words of several tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.theme import LIKELY
from tutor.app.widgets import bars, figures

if TYPE_CHECKING:
    from tutor.labs.kit.words.word import Form

COSINE_STEPS = (0.2, 0.4, 0.6, 0.8)
"""Where one color of the ramp ends and the next begins."""
_MOST_PIECES = 4


def cosine(value: float) -> str:
    """Two decimals in five columns, -1 to 1; what rounds to zero has no sign."""
    return f"{value + 0.0 if abs(value) >= 0.005 else 0.0:>5.2f}"


def ramp(value: float) -> str:
    """The content style for a cosine."""
    return LIKELY[sum(value >= step for step in COSINE_STEPS)]


def cosine_bar(value: float, width: int) -> tuple[str, str]:
    """A bar from 0 to 1 and its style, for `Content.assemble`; below 0 there is none."""
    return bars.bar(max(0.0, value), width), ramp(value)


def form_note(form: Form) -> str:
    """Says that a word is several tokens, and which of them is taken."""
    pieces = [figures.shown(token) for token in form]
    more = " …" if len(pieces) > _MOST_PIECES else ""
    cut = "│".join(pieces[:_MOST_PIECES]) + more
    return f"{len(pieces)} tokens, {cut}: this is the row of the first."
