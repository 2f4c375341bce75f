"""Questions about things that exist and things that do not, and what makes an answer right.

The questions are data (`assets/real-and-invented`), checked to be so. An answer is compared by its
words: case, accents and punctuation do not count.
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
"""An answer with one of these in it declines, unless the right answer is in it as well."""
DECLINING_STARTS = ("no ", "there is no ", "there was no ", "there are no ", "there were no ")
"""So does one that begins like this."""

_LITTLE = """
    a an and are as at be been but by called city for from had has have he her his i in is it its
    known located named of on or she that the their there they this to was were which who with
    written
"""
LITTLE = frozenset(_LITTLE.split())
"""Words that say nothing by themselves."""


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question. `accept` are the right answers: of something real, by the source `look_up`; of
    something invented, by the made-up `fact`, and none where the fact says that no such thing is
    known. `searched` is the name that was looked for in vain."""

    kind: Literal["people", "places", "papers", "functions"]
    real: bool
    ask: str
    accept: tuple[str, ...]
    fact: str
    look_up: str = ""
    searched: str = ""

    def accepted(self, *, with_fact: bool) -> tuple[str, ...]:
        """Of something invented nothing is right until a text says so."""
        return self.accept if self.real or with_fact else ()


@cache
def items() -> tuple[Item, ...]:
    """All of them, the real ones first."""
    return msgspec.json.decode(paths.real_and_invented().read_bytes(), type=tuple[Item, ...])


def words(text: str) -> list[str]:
    """In small letters, without accents and punctuation; an apostrophe does not part a word."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return re.findall(r"[\w]+", re.sub(r"['’`]", "", letters))


def found_in(text: str, accepted: Iterable[str]) -> str | None:
    """The first of `accepted` whose words stand in `text`, one after another."""
    said = f" {' '.join(words(text))} "
    return next((each for each in accepted if f" {' '.join(words(each))} " in said), None)


@lru_cache(1000)  # a screen asks again and again
def verdict(text: str, accepted: tuple[str, ...]) -> Verdict:
    """Right where an accepted answer is in it, whatever else is."""
    if found_in(text, accepted) is not None:
        return "right"
    said = " ".join(words(text)) + " "
    if said.startswith(DECLINING_STARTS) or any(f"{phrase} " in said for phrase in DECLINES):
        return "declined"
    return "wrong"


def gist(text: str, question: str, accepted: Iterable[str] = ()) -> str:
    """What two answers are compared by: the right answer, if it is there; else that the answer
    declines; else its first word that is neither in the question nor in `LITTLE`."""
    known = found_in(text, accepted)
    if known is not None:
        return known
    if verdict(text, ()) == "declined":
        return "declines"
    asked = {*words(question), *LITTLE}
    return next((word for word in words(text) if word not in asked), "nothing new")
