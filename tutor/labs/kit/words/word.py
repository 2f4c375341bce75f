"""Words as labs about embeddings take them: each one row of the table."""

from __future__ import annotations

import re

import msgspec

from tutor.errors import LabError
from tutor.lm.distribution import Token
from tutor.text import safe

Form = tuple[Token, ...]
"""A way to cut a word. Its row is that of the first token; where there are more, the word has no
row of its own, and the screen says so."""


class Near(msgspec.Struct, frozen=True, array_like=True):
    """A row of the table, the `rank`-th nearest (from 1)."""

    rank: int
    token: Token
    cosine: float


LONGEST_WORD = 40
"""Characters."""


def of_bearable_length(word: str) -> str:
    """`word`. Raises `LabError` for one that no lab has room for."""
    if len(word) > LONGEST_WORD:
        raise LabError(
            f"“{safe(word[:12])}…” has {len(word)} characters, a word {LONGEST_WORD} at most.",
            "Shorten it.",
        )
    return word


def listed(text: str, most: int) -> tuple[tuple[str, ...], int]:
    """The words of a list, commas or spaces between them, each once; and how many beyond `most`
    are left out."""
    words = tuple(dict.fromkeys(re.findall(r"[^\s,;]+", text)))
    return words[:most], max(0, len(words) - most)


def same_letters(token: Token, other: Token) -> bool:
    """Whether two tokens are one word: the same but for spaces and capitals."""
    return token.text.strip().casefold() == other.text.strip().casefold()
