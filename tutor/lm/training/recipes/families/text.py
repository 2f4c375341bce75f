"""The vocabulary of the three small models: each token is a word.

The vocabulary is a fixed list of words, after four special tokens. Any other word becomes
`UNKNOWN`: the model knows that there is a word, but not which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

START, END, BLANK, UNKNOWN = "<start>", "<end>", "<blank>", "<unknown>"
SPECIAL = (START, END, BLANK, UNKNOWN)
_WORD = re.compile(r"_+|\d|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text that a person wrote, in lowercase.

    Digits and punctuation marks are words of their own, and each run of `_` is a blank.
    """
    found = _WORD.findall(text.replace(",", "").lower())
    return tuple(BLANK if word.startswith("_") else word for word in found)


class Vocabulary(msgspec.Struct, frozen=True):
    """The special tokens and then all words, in the order of their ids."""

    words: tuple[str, ...]

    @staticmethod
    def of(words: Iterable[str]) -> Vocabulary:
        """Return the vocabulary with these words."""
        return Vocabulary((*SPECIAL, *words))

    def __len__(self) -> int:
        return len(self.words)

    def ids(self, words: Sequence[str]) -> list[int]:
        """Return the ids of these words."""
        id_of = {word: id_ for id_, word in enumerate(self.words)}
        return [id_of.get(word, id_of[UNKNOWN]) for word in words]
