"""Text about cosine similarities and multi-token words, for the labs on embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.theme import LIKELY
from tutor.app.widgets import bars, figures

if TYPE_CHECKING:
    from tutor.labs.kit.words.word import Form

COSINE_STEPS = (0.2, 0.4, 0.6, 0.8)
"""The cosine similarities at which the color changes."""
_MOST_PIECES = 4


def cosine(value: float) -> str:
    """Format a cosine similarity with two decimals, in five columns.

    Values that round to 0 have no sign.
    """
    return f"{value + 0.0 if abs(value) >= 0.005 else 0.0:>5.2f}"


def ramp(value: float) -> str:
    """Return the style in which a cosine similarity is drawn."""
    return LIKELY[sum(value >= step for step in COSINE_STEPS)]


def cosine_bar(value: float, width: int) -> tuple[str, str]:
    """Return a bar for a value from 0 to 1, and its style. Negative values get an empty bar."""
    return bars.bar(max(0.0, value), width), ramp(value)


def form_note(form: Form) -> str:
    """Return a note that lists a word's tokens and says that only the first one's row is used."""
    pieces = [figures.shown(token) for token in form]
    more = " …" if len(pieces) > _MOST_PIECES else ""
    cut = "│".join(pieces[:_MOST_PIECES]) + more
    return f"{len(pieces)} tokens, {cut}: the first token's row is used."
