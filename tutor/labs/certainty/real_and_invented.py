"""Questions about things that exist and things that do not, and the check of an answer.

The questions are data (`assets/real-and-invented`); each was looked up. Answers are compared by
their words: case, accents and punctuation do not count.
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
"""An answer that contains one of these declines, unless it also contains the right answer."""
DECLINING_STARTS = ("no ", "there is no ", "there was no ", "there are no ", "there were no ")
"""An answer that begins with one of these declines, too."""

_LITTLE = """
    a an and are as at be been but by called city for from had has have he her his i in is it its
    known located named of on or she that the their there they this to was were which who with
    written
"""
LITTLE = frozenset(_LITTLE.split())
"""Words that are too common to be the gist of an answer."""


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question about something real or invented.

    `accept` are the right answers: for something real, according to the source `look_up`; for
    something invented, according to the made-up `fact`. It is empty if the fact says that no such
    thing is known. `searched` is the name that was searched for and not found.
    """

    kind: Literal["people", "places", "papers", "functions"]
    real: bool
    ask: str
    accept: tuple[str, ...]
    fact: str
    look_up: str = ""
    searched: str = ""

    def accepted(self, *, with_fact: bool) -> tuple[str, ...]:
        """Return the right answers: for something invented, none unless the prompt has the fact."""
        return self.accept if self.real or with_fact else ()


@cache
def items() -> tuple[Item, ...]:
    """Return all questions, those about real things first."""
    return msgspec.json.decode(paths.real_and_invented().read_bytes(), type=tuple[Item, ...])


def words(text: str) -> list[str]:
    """Return the words in lower case, without accents, apostrophes and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return re.findall(r"[\w]+", re.sub(r"['’`]", "", letters))


def found_in(text: str, accepted: Iterable[str]) -> str | None:
    """Return the first of `accepted` whose words appear in `text` in sequence, or None."""
    said = f" {' '.join(words(text))} "
    return next((each for each in accepted if f" {' '.join(words(each))} " in said), None)


@lru_cache(1000)  # a screen judges the same answers each time it is drawn
def verdict(text: str, accepted: tuple[str, ...]) -> Verdict:
    """Return "right" if the text contains an accepted answer, whatever else it contains."""
    if found_in(text, accepted) is not None:
        return "right"
    said = " ".join(words(text)) + " "
    if said.startswith(DECLINING_STARTS) or any(f"{phrase} " in said for phrase in DECLINES):
        return "declined"
    return "wrong"


def gist(text: str, question: str, accepted: Iterable[str] = ()) -> str:
    """Return the gist of an answer, by which it is compared with other answers.

    It is the right answer if the text contains it; else "declines" if the answer declines; else
    its first word that is neither in the question nor in `LITTLE`.
    """
    known = found_in(text, accepted)
    if known is not None:
        return known
    if verdict(text, ()) == "declined":
        return "declines"
    asked = {*words(question), *LITTLE}
    return next((word for word in words(text) if word not in asked), "nothing new")
