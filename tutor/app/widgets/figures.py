"""Format numbers, tokens and times in the same way on every screen."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from tutor.language import _
from tutor.learner.clock import WEEKDAYS, local_day_number
from tutor.text import counted, safe, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tutor.lm.distribution import SamplerSettings, Token

PERCENT_WIDTH = 8
SIGNS = _(
    "In tokens, ␣ is a space, ⏎ a line break and ⇥ a tab. Signs such as ␚ and ‹U+00A0› stand for "
    "other characters that you cannot see."
)
"""Explains how `shown` draws characters that have no shape."""


def percent(probability: float) -> str:
    """Format a probability (0 to 1) as a percentage of at most `PERCENT_WIDTH` characters.

    Very small and very large probabilities are never rounded to 0 or 100 %. The result is, for
    example, `<0.001 %` or `>99.9 %`. NaN means that the probability is unknown.
    """
    if math.isnan(probability):
        return "?"
    value = probability * 100
    if value == 0:
        return "0 %"
    if 99.95 <= value < 100:
        return ">99.9 %"
    if value >= 0.095:
        return f"{value:.1f} %"
    return f"{value:.3f} %" if value >= 0.00095 else "<0.001 %"


def bits(value: float) -> str:
    """Format a number of bits with two decimal places.

    Infinity becomes `∞`, and NaN (unknown) becomes `?`.
    """
    if math.isnan(value):
        return "?"
    return "∞" if math.isinf(value) else f"{value:.2f}"


def count(value: int) -> str:
    return f"{value:,}"


def shown(token: Token) -> str:
    """Return a token's text on one line, with symbols for whitespace and invalid bytes.

    The result is never empty.
    """
    return visible(token.data) or "∅"


def fit(text: str, width: int) -> str:
    """Cut or pad `text` to exactly `width` cells. If it was cut, it ends with `…`."""
    if width <= 0:
        return ""
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, width)


def as_many_as_fit(before: str, words: Iterable[str], width: int) -> str:
    """List as many words as fit into `width` cells after `before`, and count the other words."""
    words = list(words)
    for shown in range(len(words), 0, -1):
        more = _(" and {count} more").format(count=len(words) - shown) if shown < len(words) else ""
        said = f"{before}{', '.join(words[:shown])}{more}"
        if cell_len(said) <= width:
            return said
    return f"{before}{counted(len(words), 'word')}"


def ended(text: str) -> str:
    """Replace the spaces at the end of `text` with `␣`, because they matter to a model."""
    rest = text.rstrip(" ")
    return rest + "␣" * (len(text) - len(rest))


def tail(text: str, width: int) -> str:
    """Return the end of `text` on one line of at most `width` cells.

    If the text was cut, the result begins with `…`. Characters that could control a terminal are
    made visible, because the text may come from a model or from a file.
    """
    line = " ".join(safe(ended(text)).split())
    if cell_len(line) <= width:
        return line
    while cell_len(line) > width - 1:
        line = line[1:]
    return "…" + line


def sampler(settings: SamplerSettings) -> str:
    """Describe sampler settings in a few words, in the order in which they are applied."""
    if settings.plain:
        return _("plain sampling")
    if settings.greedy:
        return _("greedy")
    parts = []
    if settings.temperature != 1:
        parts.append(f"T {settings.temperature:.2f}")
    if settings.top_k:
        parts.append(_("top-k {top_k}").format(top_k=settings.top_k))
    if settings.top_p < 1:
        parts.append(_("top-p {top_p:g}").format(top_p=settings.top_p))
    if settings.min_p > 0:
        parts.append(_("min-p {min_p:g}").format(min_p=settings.min_p))
    return "  ".join(parts)


def day_name(now: float, days: int) -> str:
    """Return a short name for the day `days` days after `now`. Today is called "now"."""
    return _(WEEKDAYS[(datetime.fromtimestamp(now).weekday() + days) % 7]) if days else _("now")


_MINUTE, _HOUR = 60.0, 3600.0


def when(at: float, now: float) -> str:
    """Return a time in words, such as "in 10 minutes", "tomorrow" or "in 3 days".

    A day begins at midnight, local time.
    """
    days = local_day_number(at) - local_day_number(now)
    if days > 59:
        return _("in {days} months").format(days=round(days / 30.4))
    if days > 1:
        return _("in {days} days").format(days=days)
    if days == 1:
        return _("tomorrow")
    seconds = at - now
    if seconds <= 0:
        return _("now")
    if seconds < 1.5 * _HOUR:
        minutes = max(1, round(seconds / _MINUTE))
        return _("in {minutes}").format(minutes=counted(minutes, "minute"))
    return _("later today")
