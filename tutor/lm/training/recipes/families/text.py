"""The text that the three small models of the families know: words, one number each.

A vocabulary is a fixed list of words, the marks first. A word that is not in it is the mark
`UNKNOWN`: the model learns that there is a word and nothing about which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

START, END, BLANK, UNKNOWN = "<start>", "<end>", "<blank>", "<unknown>"
MARKS = (START, END, BLANK, UNKNOWN)
_WORD = re.compile(r"_+|\d|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]")


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text as somebody writes it: in small letters, digits and signs one by one, a
    blank for each row of `_`."""
    found = _WORD.findall(text.replace(",", "").lower())
    return tuple(BLANK if word.startswith("_") else word for word in found)


class Vocabulary(msgspec.Struct, frozen=True):
    """`words` holds the marks, then all others; a word's number is its place."""

    words: tuple[str, ...]

    @staticmethod
    def of(words: Iterable[str]) -> Vocabulary:
        return Vocabulary((*MARKS, *words))

    def __len__(self) -> int:
        return len(self.words)

    def ids(self, words: Sequence[str]) -> list[int]:
        places = self._places()
        return [places.get(word, places[UNKNOWN]) for word in words]

    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words)}
