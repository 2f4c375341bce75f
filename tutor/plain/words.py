"""Write numbers, tokens and errors so that they make sense when read aloud."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tutor.text import one_line, safe

if TYPE_CHECKING:
    from tutor.errors import TutorError
    from tutor.lm.distribution import Distribution, Row, Token

LETTERS = "abcdefghijklmnopqrstuvwxyz"

_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z“])")
_KEY = re.compile(r"\b([Pp]ress|[Uu]ndo with) \w")
_NAMED_KEY = re.compile(r" \(\w\)|; \w (?=[a-z])[^.;]*")
_SIGNS = (
    (re.compile(r"(?<=\d)\s?%"), " percent"),
    (re.compile(r"␣([\w'’-]+)"), r'" \1"'),
    (re.compile("␣"), "(space)"),
    (re.compile("⏎"), "(line break)"),
    (re.compile("⇥"), "(tab)"),
    (re.compile(r"\s*[─━]*[►▶→]\s*"), " to "),
    (re.compile(r"\s*[◄◀←][─━]*\s*"), " from "),
    (re.compile(r"[\u2500-\u25ff\u2800-\u28ff]+"), " "),
    (re.compile(r" {2,}"), " "),
)


def spoken(text: str) -> str:
    """Return text that a screen reader reads correctly.

    Characters that a screen reader would skip or misread are replaced with words. Bars and
    box-drawing characters are removed.
    """
    for sign, word in _SIGNS:
        text = sign.sub(word, text)
    return text.strip()


def percent(probability: float) -> str:
    """Convert a probability (0 to 1) to a percentage in words. Only 0 itself becomes 0 percent."""
    value = 100 * probability
    if math.isnan(value):
        return "unknown"
    if value == 0 or value == 100:
        return f"{value:.0f} percent"
    if value >= 99.95:
        return "more than 99.9 percent"
    if value < 0.001:
        return "less than 0.001 percent"
    return f"{value:.1f} percent" if value >= 0.095 else f"{value:.3f} percent"


def number(value: float) -> str:
    """Format a number with at most four significant digits."""
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else "infinite"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def quoted(data: bytes) -> str:
    """Return a token's text in quotation marks, with names for whitespace and invalid bytes."""
    text = data.decode("utf-8", "backslashreplace")
    text = text.replace("\n", "(line break)").replace("\t", "(tab)")
    if not text:
        return "nothing"
    if not text.strip(" "):
        return "a space" if len(text) == 1 else f"{len(text)} spaces"
    return f'"{safe(text)}"'


def token(each: Token) -> str:
    return f"the special token {each.text}" if each.special else quoted(each.data)


def rank(row: Row, *, sampled: bool = False) -> str:
    """Describe one row of a distribution in a sentence."""
    said = f"Rank {row.rank:,}: {token(row.token)}, {percent(row.probability)}"
    if sampled and row.cut:
        return f"{said}, cut by {row.cut}."
    return f"{said}, sampled with {percent(row.sampled_probability)}." if sampled else f"{said}."


def entropy(distribution: Distribution) -> str:
    least = "at least " if distribution.partial else ""
    return f"Entropy: {least}{distribution.entropy_bits:.2f} bits."


def listed(words: Sequence[str], last: str = "or") -> str:
    """Join words into a list, such as "a, b or c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def ended(text: str) -> str:
    """Add a period to the text, unless it already ends with punctuation."""
    return text if text.endswith((".", "?", "!", ":", "…", "”", '"')) else f"{text}."


def without_keys(text: str) -> str:
    """Remove the sentences that mention a key, because plain mode has no keys."""
    kept = (each for each in _SENTENCE.split(text) if not _KEY.search(each))
    return _NAMED_KEY.sub("", " ".join(kept))


def error(raised: TutorError) -> str:
    """Return an error on one line: what happened and what to do. Advice about keys is left out."""
    parts = (raised.happened, without_keys(raised.next_step))
    return one_line(" ".join(filter(None, parts)), 600)


def several(lines: Iterable[str]) -> list[str]:
    """Return the lines that are not blank."""
    return [line for line in lines if line.strip()]
