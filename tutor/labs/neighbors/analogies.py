"""Defines analogies: sums of embedding rows such as `king - man + woman`."""

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
    """Add the analogy `a - b + c` and its expected answer."""

    a: str
    b: str
    c: str
    expected: str


class AskSum(msgspec.Struct, frozen=True, tag=True):
    """A request to compute an analogy.

    `words` are the words a, b, and c of `a - b + c`, and the expected answer.
    """

    words: tuple[str, str, str, str]


class Sum(msgspec.Struct, frozen=True, tag=True):
    """The result of an analogy.

    `nearest` are the rows nearest to the sum, including the rows of its three words. `rank` is the
    rank of the expected answer among all rows, and `rank_without` is its rank if the three words
    are left out.
    """

    forms: tuple[Form, ...]
    nearest: tuple[Near, ...]
    cosine: float
    rank: int
    rank_without: int
    rows: int


class Analogy(msgspec.Struct, frozen=True):
    """An analogy and, once computed, its result. `own` is true if the learner wrote it."""

    words: tuple[str, str, str, str]
    own: bool = False
    sum: Sum | None = None

    @property
    def same_twice(self) -> bool:
        """Return whether a word occurs twice.

        Such a sum is not an analogy: `a - a + c` is always `c`.
        """
        return len({form[0].id for form in self.sum.forms}) < 4 if self.sum else False


def analogy(text: str) -> AddAnalogy:
    """Parse an analogy such as "king - man + woman = queen". Raises `LabError` if that fails."""
    found = re.fullmatch(r"\s*(\S+)\s*[-−]\s*(\S+)\s*\+\s*(\S+)\s*=\s*(\S+)\s*", text)
    if found is None:
        raise LabError(
            "The sum must have the form a - b + c = d.", "For example: king - man + woman = queen"
        )
    a, b, c, expected = (of_bearable_length(word) for word in found.groups())
    return AddAnalogy(a, b, c, expected)
