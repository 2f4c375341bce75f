"""Questions about real and invented things, and the rules for judging the answers.

The questions and accepted answers are in `assets/real-and-invented`. assets/README.md says how we
checked them.
Comparisons ignore case, accents and punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Literal

import msgspec

from tutor import paths

Verdict = Literal["right", "wrong", "declined"]

DECLINES = (
    "do not know",
    "dont know",
    "did not know",
    "does not exist",
    "doesnt exist",
    "did not exist",
    "never existed",
    "not exist",
    "no information",
    "no record",
    "does not have",
    "has no",
    "no such",
    "not aware",
    "not familiar",
    "not known",
    "not specified",
    "not sure",
    "unknown",
    "cannot answer",
    "cant answer",
    "unable to answer",
    "fictional",
    "made up",
)
"""Phrases that show that a model declines to answer. They are ignored in a reply that also contains
the right answer."""
DECLINING_STARTS = ("no ", "there is no ", "there was no ", "there are no ", "there were no ")
"""Words that, at the beginning of a reply, show that a model declines to answer. They are ignored
in a reply that also contains the right answer."""

_LITTLE = """
    a an and are as at be been but by called city for from had has have he her his i in is it its
    known located named of on or she that the their there they this to was were which who with
    written
"""
LITTLE = frozenset(_LITTLE.split())
"""Words that are too common to be the gist of an answer."""


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question about something real or invented.

    Attributes:
        accept: The accepted answers. For a real thing, they come from the source `look_up`. For an
            invented thing, they follow from the made-up `fact`. The list is empty if the fact says
            that no such thing is known.
        fact: A sentence that contains the answer.
        searched: The name that we searched for, to make sure that an invented thing doesn't exist.
    """

    kind: Literal["people", "places", "papers", "functions"]
    real: bool
    ask: str
    accept: tuple[str, ...]
    fact: str
    look_up: str = ""
    searched: str = ""

    def accepted(self, *, with_fact: bool) -> tuple[str, ...]:
        """Return the accepted answers.

        A question about an invented thing has none unless the prompt contains the fact.
        """
        return self.accept if self.real or with_fact else ()


@cache
def items() -> tuple[Item, ...]:
    """Return all questions, with the questions about real things first."""
    return msgspec.json.decode(paths.real_and_invented().read_bytes(), type=tuple[Item, ...])


def words(text: str) -> list[str]:
    """Split `text` into words in lower case, without accents, apostrophes or punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return re.findall(r"[\w]+", re.sub(r"['’`]", "", letters))


def found_in(text: str, accepted: Iterable[str]) -> str | None:
    """Return the first accepted answer that occurs in `text` as a sequence of words, or None."""
    said = f" {' '.join(words(text))} "
    return next((each for each in accepted if f" {' '.join(words(each))} " in said), None)


@lru_cache(1000)  # Cached, because the views check the same answers whenever they are drawn.
def verdict(text: str, accepted: tuple[str, ...]) -> Verdict:
    """Judge an answer. It is right if it contains an accepted answer, whatever else it contains."""
    if found_in(text, accepted) is not None:
        return "right"
    said = " ".join(words(text)) + " "
    if said.startswith(DECLINING_STARTS) or any(f"{phrase} " in said for phrase in DECLINES):
        return "declined"
    return "wrong"


def gist(text: str, question: str, accepted: Iterable[str] = ()) -> str:
    """Return the gist of an answer. Two answers agree if they have the same gist.

    The gist is the accepted answer that the text contains. If there is none, it is "declines" if
    the model declines to answer, otherwise the first word that is neither in the question nor in
    `LITTLE`.
    """
    known = found_in(text, accepted)
    if known is not None:
        return known
    if verdict(text, ()) == "declined":
        return "declines"
    asked = {*words(question), *LITTLE}
    return next((word for word in words(text) if word not in asked), "nothing new")
