"""Analogies, which are sums of embedding rows such as `king - man + woman`."""

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
    """A request for the result of an analogy.

    `words` contains the words a, b and c of `a - b + c`, followed by the expected answer.
    """

    words: tuple[str, str, str, str]


class Sum(msgspec.Struct, frozen=True, tag=True):
    """The result of an analogy.

    Attributes:
        nearest: The rows of the embedding table nearest to the sum. They include the rows of the
            three words in the sum.
        cosine: The cosine similarity of the sum and the expected answer.
        rank: The rank of the expected answer among all rows, counted from 1.
        rank_without: The rank if the rows of the three words in the sum are excluded.
        rows: The number of rows in the table.
    """

    forms: tuple[Form, ...]
    nearest: tuple[Near, ...]
    cosine: float
    rank: int
    rank_without: int
    rows: int


class Analogy(msgspec.Struct, frozen=True):
    """An analogy and its result.

    `sum` is None until the result is computed. `own` is True if the learner wrote the analogy.
    """

    words: tuple[str, str, str, str]
    own: bool = False
    sum: Sum | None = None

    @property
    def same_twice(self) -> bool:
        """True if two of the words have the same first token. The other tokens don't count.

        Such a sum is not an analogy. For example, `a - a + c` is always `c`.
        """
        return len({form[0].id for form in self.sum.forms}) < 4 if self.sum else False


def analogy(text: str) -> AddAnalogy:
    """Parse an analogy such as "king - man + woman = queen".

    Raises `LabError` if the text does not have this form.
    """
    found = re.fullmatch(r"\s*(\S+)\s*[-−]\s*(\S+)\s*\+\s*(\S+)\s*=\s*(\S+)\s*", text)
    if found is None:
        raise LabError(
            "The sum must have the form a - b + c = d.", "For example: king - man + woman = queen"
        )
    a, b, c, expected = (of_bearable_length(word) for word in found.groups())
    return AddAnalogy(a, b, c, expected)
