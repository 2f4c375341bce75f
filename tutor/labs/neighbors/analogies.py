"""Analogies: sums of rows of the embedding table, `a - b + c`, and the expected answers."""

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
    """Add an analogy: `a - b + c`, and the expected answer."""

    a: str
    b: str
    c: str
    expected: str


class AskSum(msgspec.Struct, frozen=True, tag=True):
    """A request to compute an analogy. `words` are a, b, c and the expected answer."""

    words: tuple[str, str, str, str]


class Sum(msgspec.Struct, frozen=True, tag=True):
    """The result of an analogy.

    `nearest` are the rows nearest to the sum, with none left out. `rank` is the rank of the
    expected word among all rows, `rank_without` its rank when the three words are left out.
    """

    forms: tuple[Form, ...]
    nearest: tuple[Near, ...]
    cosine: float
    rank: int
    rank_without: int
    rows: int


class Analogy(msgspec.Struct, frozen=True):
    """An analogy, with its result once it is known. `own` means that the learner wrote it."""

    words: tuple[str, str, str, str]
    own: bool = False
    sum: Sum | None = None

    @property
    def same_twice(self) -> bool:
        """Return whether a word occurs twice. It is no analogy then, since a - a + c is c."""
        return len({form[0].id for form in self.sum.forms}) < 4 if self.sum else False


def analogy(text: str) -> AddAnalogy:
    """Parse an analogy such as "king - man + woman = queen". Raises `LabError` if invalid."""
    found = re.fullmatch(r"\s*(\S+)\s*[-−]\s*(\S+)\s*\+\s*(\S+)\s*=\s*(\S+)\s*", text)
    if found is None:
        raise LabError(
            "This is not of the form a - b + c = d.", "For example: king - man + woman = queen"
        )
    a, b, c, expected = (of_bearable_length(word) for word in found.groups())
    return AddAnalogy(a, b, c, expected)
