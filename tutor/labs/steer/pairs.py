"""Load the bundled pairs of sentence lists, and validate the learner's own lists."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from tutor.errors import TextError
from tutor.lm.saved_steering import LONGEST, MOST_SENTENCES

FEWEST = 2
"""The minimum number of sentences in a list."""
MOST_WORDS = 20
"""The maximum number of words in a set."""

NEUTRAL = (
    "The town lies on the north bank of a river. A bridge connects it with the villages on the "
    "other side. Most people work in a paper mill or on small farms. The railway station was "
    "opened in 1874, and there are two trains every hour."
)
"""A text unrelated to all vectors. Its perplexity shows how much steering harms predictions."""


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two lists of sentences that differ in one property.

    Attributes:
        first: The name of the property of the first list.
        second: The name of the property of the second list.
        prompt: A text whose continuation depends on the property.
        first_words: Words that are likely to continue the prompt with the first property.
        second_words: Words that are likely with the second property.
    """

    name: str
    first: str
    second: str
    prompt: str
    first_words: tuple[str, ...]
    second_words: tuple[str, ...]
    first_texts: tuple[str, ...]
    second_texts: tuple[str, ...]


@cache
def pairs() -> tuple[Pair, ...]:
    """Return the bundled pairs."""
    data = Path(__file__).with_name("pairs.json").read_bytes()
    return msgspec.json.decode(data, type=tuple[Pair, ...])


class Lists(msgspec.Struct, frozen=True, array_like=True):
    """Two lists of sentences. A steering vector is made from them."""

    first: tuple[str, ...]
    second: tuple[str, ...]


class Words(msgspec.Struct, frozen=True, array_like=True):
    """Two sets of words whose total probabilities are measured."""

    first: tuple[str, ...]
    second: tuple[str, ...]


def sentences(text: str) -> tuple[str, ...]:
    """Return the lines of `text` that are not empty.

    Raises `TextError` if there are too few or too many, or if one of them is too long.
    """
    return checked(tuple(line.strip() for line in text.splitlines() if line.strip()))


def checked(found: tuple[str, ...]) -> tuple[str, ...]:
    """Return a list of sentences unchanged. Raises `TextError` if it is not a valid list."""
    if len(found) < FEWEST:
        raise TextError("There are too few sentences.", "Write at least two, one on each line.")
    if len(found) > MOST_SENTENCES or any(len(each) > LONGEST for each in found):
        raise TextError(
            "The list is too long.",
            f"Write up to {MOST_SENTENCES} sentences of up to {LONGEST} characters.",
        )
    return found


def word_sets(text: str) -> Words:
    """Return two sets of words that are separated by a semicolon.

    Raises `TextError` unless there are exactly two sets, each with 1 to `MOST_WORDS` words.
    """
    found = [tuple(dict.fromkeys(each.split())) for each in text.split(";")]
    if len(found) != 2 or not all(0 < len(each) <= MOST_WORDS for each in found):
        raise TextError(
            "These are not two sets of words.",
            f"Write 1 to {MOST_WORDS} words, a semicolon, and 1 to {MOST_WORDS} other words.",
        )
    return Words(*found)
