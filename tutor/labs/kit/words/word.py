"""Words as rows of the embedding table, for the labs on embeddings."""

from __future__ import annotations

import re

import msgspec

from tutor.errors import LabError
from tutor.language import _
from tutor.lm.distribution import Token
from tutor.text import safe

Form = tuple[Token, ...]
"""The tokens of a word.

To look up a word in the embedding table, the labs use the row of its first token. If there are
several tokens, this row doesn't represent the whole word, and the screen shows a note about it.
"""


class Near(msgspec.Struct, frozen=True, array_like=True):
    """A row of the embedding table, with its similarity to another row.

    `rank` is 1 for the nearest row, by cosine similarity or by Euclidean `distance`. The distance
    is 0 if it was not requested.
    """

    rank: int
    token: Token
    cosine: float
    distance: float = 0


LONGEST_WORD = 40
"""The maximum number of characters in a word."""


def of_bearable_length(word: str) -> str:
    """Return `word` unchanged. Raises `LabError` if it is too long for a table."""
    if len(word) > LONGEST_WORD:
        raise LabError(
            _("“{word}…” has {count} characters; the limit is {longest_word}.").format(
                word=safe(word[:12]), count=len(word), longest_word=LONGEST_WORD
            ),
            "Enter a shorter word.",
        )
    return word


def listed(text: str, most: int) -> tuple[tuple[str, ...], int]:
    """Return the first `most` distinct words of `text`, and the number of words left out.

    Words are separated by spaces, commas or semicolons.
    """
    words = tuple(dict.fromkeys(re.findall(r"[^\s,;]+", text)))
    return words[:most], max(0, len(words) - most)


def same_letters(token: Token, other: Token) -> bool:
    """Return True if two tokens are equal apart from spaces and case."""
    return token.text.strip().casefold() == other.text.strip().casefold()
