"""What the lab `rag` asks of its backend, and what it is answered."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.retrieval.passage import Passage

COURSE = "course"
SHOWN = 5
"""Passages that are found and shown; so many go into the prompt at most."""
BUDGET = 400
"""Tokens of the prompt that are for passages. What does not fit is cut off."""
LENGTH = 32
"""Tokens of an answer."""
Kind = Literal["words", "meaning", "both", "encoder"]
KINDS: tuple[Kind, ...] = ("words", "meaning", "both")
"""Ways of searching that are there always: by words, by the vectors of the local model, and both
merged. By the vectors of a sentence encoder is one more, where that is installed."""

Maker = Literal["meaning", "encoder"]
"""Whose vectors: those of the local model, or of the sentence encoder."""

MAKERS: dict[Kind, Maker] = {"meaning": "meaning", "both": "meaning", "encoder": "encoder"}
"""Which ways of searching need whose vectors."""


class Way(msgspec.Struct, frozen=True):
    """How passages are found. `poison` is a false passage that is in the index as well."""

    source: str = COURSE
    kind: Kind = "words"
    poison: str = ""


class Source(msgspec.Struct, frozen=True):
    """Texts that can be asked about; `vectors`: whether they are few enough to be compared by
    their meaning."""

    name: str
    passages: int
    vectors: bool


class Hit(msgspec.Struct, frozen=True):
    """A passage that was found. `kept` is what of it goes into the prompt, `tokens` how many that
    are there, its number and heading included; `whole` how many all of it would have been. `false`
    for the one that the learner put in."""

    passage: Passage
    score: float
    marks: tuple[tuple[int, int], ...] = ()
    kept: str = ""
    tokens: int = 0
    whole: int = 0
    false: bool = False


class Look(msgspec.Struct, frozen=True, tag=True):
    """Which texts are there?"""


class Sources(msgspec.Struct, frozen=True, tag=True):
    """`encoder`: whether a sentence encoder is installed."""

    sources: tuple[Source, ...]
    encoder: bool = False


class Read(msgspec.Struct, frozen=True, tag=True):
    """Make the vectors of some more passages; `done` have one."""

    source: str
    done: int
    maker: Maker = "meaning"


class ReadSoFar(msgspec.Struct, frozen=True, tag=True):
    """`seconds` is what one of them took."""

    done: int
    total: int
    seconds: float = 0.0


class Find(msgspec.Struct, frozen=True, tag=True):
    query: str
    way: Way
    count: int


class Found(msgspec.Struct, frozen=True, tag=True):
    hits: tuple[Hit, ...]


class Write(msgspec.Struct, frozen=True, tag=True):
    """Go on with the answer `ids` to this prompt for a moment."""

    prompt: str
    ids: tuple[int, ...]


class Written(msgspec.Struct, frozen=True, tag=True):
    """The answer so far, and its bytes; before it begins, how many tokens of how many of the
    prompt are read. It took so many `seconds`."""

    ids: tuple[int, ...]
    data: bytes
    ended: bool
    read: int
    total: int
    seconds: float


class Score(msgspec.Struct, frozen=True, tag=True):
    """What does this answer cost after this prompt?"""

    prompt: str
    ids: tuple[int, ...]


class Scored(msgspec.Struct, frozen=True, tag=True):
    """In bits; None while the prompt is still being read."""

    bits: float | None


class Rank(msgspec.Struct, frozen=True, tag=True):
    """Search for the questions of the set from the place `first` on, for a moment."""

    kind: Kind
    first: int


class Ranked(msgspec.Struct, frozen=True, tag=True):
    """For each, the rank of the first right passage (from 1; 0 where it is not found), and the
    score of the first of all. They took so many `seconds`."""

    ranks: tuple[int, ...]
    scores: tuple[float, ...]
    seconds: float


Question = Look | Read | Find | Write | Score | Rank
Answer = Sources | ReadSoFar | Found | Written | Scored | Ranked
