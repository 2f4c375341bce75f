"""The vocabulary of the three small models: each token is a word.

The vocabulary consists of four special tokens and a fixed list of words. Every other word is
replaced with the special token `UNKNOWN`, so the model cannot tell such words apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

START, END, BLANK, UNKNOWN = "<start>", "<end>", "<blank>", "<unknown>"
SPECIAL = (START, END, BLANK, UNKNOWN)
_WORD = re.compile(r"_+|\d|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a user's text, in lowercase.

    Each digit and each punctuation mark is a separate word, and each run of `_` is a blank.
    """
    found = _WORD.findall(text.replace(",", "").lower())
    return tuple(BLANK if word.startswith("_") else word for word in found)


class Vocabulary(msgspec.Struct, frozen=True):
    """A vocabulary: the special tokens and then all other words, in the order of their ids."""

    words: tuple[str, ...]

    @staticmethod
    def of(words: Iterable[str]) -> Vocabulary:
        """Return a vocabulary that contains the special tokens and `words`."""
        return Vocabulary((*SPECIAL, *words))

    def __len__(self) -> int:
        return len(self.words)

    def ids(self, words: Sequence[str]) -> list[int]:
        """Return the id of each word. The id of an unknown word is the id of `UNKNOWN`."""
        id_of = {word: id_ for id_, word in enumerate(self.words)}
        return [id_of.get(word, id_of[UNKNOWN]) for word in words]
