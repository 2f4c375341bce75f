"""Represents words by rows of the embedding table, for the labs about embeddings."""

from __future__ import annotations

import re

import msgspec

from tutor.errors import LabError
from tutor.language import _
from tutor.lm.distribution import Token
from tutor.text import safe

Form = tuple[Token, ...]
"""A spelling of a word as tokens.

The labs use the embedding of the first token. A word with more tokens has no embedding of its own,
and the screen says so."""


class Near(msgspec.Struct, frozen=True, array_like=True):
    """A row of the embedding table and its `rank`, from 1 for the nearest row.

    The rank is by cosine or by Euclidean `distance`, which is 0 if it was not requested.
    """

    rank: int
    token: Token
    cosine: float
    distance: float = 0


LONGEST_WORD = 40
"""The maximum number of characters in a word."""


def of_bearable_length(word: str) -> str:
    """Return `word` unchanged. Raises `LabError` if it is too long for the labs' tables."""
    if len(word) > LONGEST_WORD:
        raise LabError(
            _("“{word}…” has {count} characters; the limit is {longest_word}.").format(
                word=safe(word[:12]), count=len(word), longest_word=LONGEST_WORD
            ),
            "Enter a shorter word.",
        )
    return word


def listed(text: str, most: int) -> tuple[tuple[str, ...], int]:
    """Return the distinct words of a list, up to `most`, and the number of words left out.

    Words are separated by spaces, commas or semicolons.
    """
    words = tuple(dict.fromkeys(re.findall(r"[^\s,;]+", text)))
    return words[:most], max(0, len(words) - most)


def same_letters(token: Token, other: Token) -> bool:
    """Return whether two tokens are equal, ignoring spaces and case."""
    return token.text.strip().casefold() == other.text.strip().casefold()
