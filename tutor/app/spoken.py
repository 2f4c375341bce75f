"""Write numbers, tokens and rows in words that make sense when a screen reader reads them aloud."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from unicodedata import normalize

from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.lm.attribution import Part
    from tutor.lm.distribution import Row, Token

_SIGNS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<=\d)\s?%"), _(" percent")),
    (re.compile(r"␣([\w'’-]+)"), r'" \1"'),
    (re.compile("␣"), _("(space)")),
    (re.compile("⏎"), _("(line break)")),
    (re.compile("⇥"), _("(tab)")),
    (re.compile(r"\s*[─━]*[►▶→]\s*"), _(" to ")),
    (re.compile(r"\s*[◄◀←][─━]*\s*"), _(" from ")),
    (re.compile(r"[\u2500-\u25ff\u2800-\u28ff]+"), " "),
    (re.compile("√"), _("the square root of ")),
    (re.compile(r"((?<=[\d)½⅛²])|(?<=\b\w))\s?·\s?(?=[\w(−½⅛√])"), _(" times ")),
    (re.compile(" · "), ", "),
    (re.compile("(?<=[\\w)])([⁰¹²³⁴-⁹]+)"), lambda found: _power(found[1])),
    (re.compile("(?<=\\w)([₀-₉ᵢ]+)"), lambda found: f" {normalize('NFKC', found[1])}"),
    (re.compile("↑"), _("up")),
    (re.compile("↓"), _("down")),
    (re.compile("↗"), _("up right")),
    (re.compile("↘"), _("down right")),
    (re.compile(r" {2,}"), " "),
)


def _power(digits: str) -> str:
    figure = normalize("NFKC", digits)
    return _(" squared") if figure == "2" else _(" to the power of {figure}").format(figure=figure)


def spoken(text: str) -> str:
    """Return text that a screen reader reads correctly.

    Characters that a screen reader would skip or misread are replaced with words. Bars and
    box-drawing characters are removed.
    """
    for sign, word in _SIGNS:
        text = sign.sub(word, text)
    return text.strip()


def part(part: Part) -> str:
    """Name a part of the network. Layers and heads are counted from 1."""
    if part.steering:
        return _("steering vector")
    if part.bias:
        return _("biases")
    if part.layer is None:
        return _("embedding of the last token")
    if part.head is None:
        return _("layer {layer}, feed-forward network").format(layer=part.layer + 1)
    return _("layer {layer}, head {head}").format(layer=part.layer + 1, head=part.head + 1)


def percent(probability: float) -> str:
    """Convert a probability (0 to 1) to a percentage in words. Only 0 itself becomes 0 percent."""
    value = 100 * probability
    if math.isnan(value):
        return _("unknown")
    if value == 0 or value == 100:
        return _("{value:.0f} percent").format(value=value)
    if value >= 99.95:
        return _("more than 99.9 percent")
    if value < 0.001:
        return _("less than 0.001 percent")
    return (
        _("{value:.1f} percent").format(value=value)
        if value >= 0.095
        else _("{value:.3f} percent").format(value=value)
    )


def number(value: float) -> str:
    """Format a number with at most four significant digits."""
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return _("unknown") if math.isnan(value) else _("infinite")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def quoted(data: bytes) -> str:
    """Return a token's text in quotation marks, with names for whitespace and invalid bytes."""
    text = data.decode("utf-8", "backslashreplace")
    if not text:
        return _("nothing")
    if not text.strip(" "):
        return _("a space") if len(text) == 1 else _("{count} spaces").format(count=len(text))
    if not text.strip("\n"):
        count = len(text)
        return _("a line break") if count == 1 else _("{count} line breaks").format(count=count)
    if text == "\t":
        return _("a tab")
    text = safe(text.replace("\n", _("(line break)")).replace("\t", _("(tab)")))
    return f"“{text}”" if '"' in text else f'"{text}"'


def token(each: Token) -> str:
    return (
        _("the special token {text}").format(text=each.text) if each.special else quoted(each.data)
    )


def rank(row: Row, *, sampled: bool = False) -> str:
    """Describe one row of a distribution in a sentence."""
    said = _("Rank {rank:,}: {token}, {probability}").format(
        rank=row.rank, token=token(row.token), probability=percent(row.probability)
    )
    if sampled and row.cut:
        return _("{said}, cut by {cut}.").format(said=said, cut=row.cut)
    return (
        _("{said}, sampling probability {probability}.").format(
            said=said, probability=percent(row.sampled_probability)
        )
        if sampled
        else f"{said}."
    )
