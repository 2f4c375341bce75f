"""The text of A, with a bar below each token that shows how much A and B diverge after it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.explorer.text_view import wrap
from tutor.app.theme import LIKELY, MUTED
from tutor.app.widgets import bars
from tutor.app.widgets.clicks import focusing
from tutor.app.widgets.lines import centered
from tutor.language import _
from tutor.text import safe, visible

if TYPE_CHECKING:
    from tutor.app.explorer.text_view import Line
    from tutor.labs.difference.state import State
    from tutor.lm.distribution import Token

BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
"""The minimum divergence, in bits, for each height of a bar."""
_LEAST = "·"
_INFINITE = "∞"

LEGEND = _("· <0.01   ▃ 0.1   ▅ 0.5   ▆ 1   █ 4 bits")


def bar(bits: float) -> tuple[str, str]:
    """Return the character that shows a divergence in bits, and its style."""
    if math.isinf(bits):
        return _INFINITE, LIKELY[-1]
    step = sum(bits >= bound for bound in BOUNDS)
    if not step:
        return _LEAST, MUTED
    return bars.LEVELS[step - 1], LIKELY[(step * (len(LIKELY) - 1) + 4) // len(BOUNDS)]


def strip(state: State, width: int, rows: int) -> list[Content]:
    """Return lines of A's text around the selected position, each followed by a line of bars.

    There are at most `rows` lines of text, not counting the bars.
    """
    setup = state.setup
    if setup is None:
        return []
    at = {place.a - 1: number for number, place in enumerate(setup.places)}
    here = setup.places[state.at].a - 1
    lines = wrap([_text(token) for token in setup.tokens_a], max(4, width))
    line_here = next(
        (n for n, line in enumerate(lines) if any(run.index == here for run in line.runs)), 0
    )
    first = centered(line_here, len(lines), rows)
    shown: list[Content] = []
    for line in lines[first : first + rows]:
        shown += [_words(line, state, at, here), _bars(line, state, at)]
    return shown


def _text(token: Token) -> str:
    r"""Return a token's text. If it is not valid UTF-8, its bytes are shown as `\xNN`."""
    try:
        return safe(token.data.decode()) or token.text
    except UnicodeDecodeError:
        return visible(token.data)


def _words(line: Line, state: State, at: dict[int, int], here: int) -> Content:
    parts = []
    for run in line.runs:
        number = at.get(run.index)
        if number is None:
            parts.append(Content.styled(run.text, MUTED))
        else:
            style = "reverse" if run.index == here else ""
            parts.append(focusing((run.text, style), place=number - state.at))
    return Content.assemble(*parts)


def _bars(line: Line, state: State, at: dict[int, int]) -> Content:
    parts: list[Content] = []
    for run in line.runs:
        blank = len(run.text) - len(run.text.lstrip(" ")) if run.width > 1 else 0
        number = at.get(run.index)
        if number is None or number >= len(state.compared):
            parts.append(Content(" " * run.width))
            continue
        glyph, style = bar(state.compared[number].bits)
        size = 1 if glyph == _LEAST else run.width - blank
        drawn = ((" " * blank + glyph * size).ljust(run.width), style)
        parts.append(focusing(drawn, place=number - state.at))
    return Content.assemble(*parts)
