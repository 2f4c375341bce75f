"""Analogies: sums of rows of the embedding table, `a - b + c`, and what should come out."""

from __future__ import annotations

import re

import msgspec

from tutor.errors import LabError
from tutor.labs.kit.words.word import Form, Near, of_bearable_length

EXAMPLES = (
    ("king", "man", "woman", "queen"),
    ("Paris", "France", "Germany", "Berlin"),
    ("Madrid", "Spain", "Germany", "Berlin"),
    ("cats", "cat", "dog", "dogs"),
    ("walked", "walk", "talk", "talked"),
    ("he", "man", "woman", "she"),
)


class AddAnalogy(msgspec.Struct, frozen=True, tag_field="do", tag="sum"):
    """Try another analogy: `a - b + c`, and the word that should come out."""

    a: str
    b: str
    c: str
    expected: str


class AskSum(msgspec.Struct, frozen=True, tag=True):
    """`words` are a, b, c and what should come out."""

    words: tuple[str, str, str, str]


class Sum(msgspec.Struct, frozen=True, tag=True):
    """`nearest` to the sum with nothing left out; `rank` is that of the expected word among all
    rows, `rank_without` the same with the three words left out."""

    forms: tuple[Form, ...]
    nearest: tuple[Near, ...]
    cosine: float
    rank: int
    rank_without: int
    rows: int


class Analogy(msgspec.Struct, frozen=True):
    """`own` is one that the learner made."""

    words: tuple[str, str, str, str]
    own: bool = False
    sum: Sum | None = None

    @property
    def same_twice(self) -> bool:
        """Such an analogy is none: a - a + c is c."""
        return len({form[0].id for form in self.sum.forms}) < 4 if self.sum else False


def analogy(text: str) -> AddAnalogy:
    """From "king - man + woman = queen". Raises `LabError` where that cannot be read."""
    found = re.fullmatch(r"\s*(\S+)\s*[-−]\s*(\S+)\s*\+\s*(\S+)\s*=\s*(\S+)\s*", text)
    if found is None:
        raise LabError(
            "This is not of the form a - b + c = d.", "For example: king - man + woman = queen"
        )
    a, b, c, expected = (of_bearable_length(word) for word in found.groups())
    return AddAnalogy(a, b, c, expected)
