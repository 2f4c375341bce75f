"""The questions of the lab to its backend, and the answers."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.retrieval.passage import Passage

COURSE = "course"
SHOWN = 5
"""The number of passages that are found and shown, and the most that go into the prompt."""
BUDGET = 400
"""The most tokens of the prompt for passages. The rest is cut off."""
LENGTH = 32
"""The most tokens of an answer."""
Kind = Literal["words", "meaning", "both", "encoder"]
KINDS: tuple[Kind, ...] = ("words", "meaning", "both")
"""The searches that are always available: by words, by the vectors of the local model, and both
merged. The search by the vectors of a sentence encoder needs an extra package."""

Maker = Literal["meaning", "encoder"]
"""The maker of vectors: the local model ("meaning") or the sentence encoder."""

MAKERS: dict[Kind, Maker] = {"meaning": "meaning", "both": "meaning", "encoder": "encoder"}
"""The maker of the vectors that each search needs."""


class Way(msgspec.Struct, frozen=True):
    """The settings of a search. `poison` is a false passage that is added to the index."""

    source: str = COURSE
    kind: Kind = "words"
    poison: str = ""


class Source(msgspec.Struct, frozen=True):
    """Texts that can be searched.

    `vectors` is True if they are few enough to be compared by meaning.
    """

    name: str
    passages: int
    vectors: bool


class Hit(msgspec.Struct, frozen=True):
    """A passage that was found.

    `kept` is the part of it in the prompt, and `tokens` the length of that part, including its
    number and heading; `whole` is the length of the whole passage. `false` is True for the
    learner's false passage.
    """

    passage: Passage
    score: float
    marks: tuple[tuple[int, int], ...] = ()
    kept: str = ""
    tokens: int = 0
    whole: int = 0
    false: bool = False


class Look(msgspec.Struct, frozen=True, tag=True):
    """A request for the texts that can be searched."""


class Sources(msgspec.Struct, frozen=True, tag=True):
    """The texts that can be searched; `encoder` is True if a sentence encoder is installed."""

    sources: tuple[Source, ...]
    encoder: bool = False


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request to compute the vectors of more passages; `done` passages have one."""

    source: str
    done: int
    maker: Maker = "meaning"


class ReadSoFar(msgspec.Struct, frozen=True, tag=True):
    """The number of vectors so far; `seconds` is the time that one of them took."""

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
    """A request to continue the answer `ids` to this prompt for a moment."""

    prompt: str
    ids: tuple[int, ...]


class Written(msgspec.Struct, frozen=True, tag=True):
    """The answer so far, as token ids and bytes.

    Of the prompt, `read` of `total` tokens are processed. `seconds` is the time that this took.
    """

    ids: tuple[int, ...]
    data: bytes
    ended: bool
    read: int
    total: int
    seconds: float


class Score(msgspec.Struct, frozen=True, tag=True):
    """A request for the surprisal of this answer after this prompt."""

    prompt: str
    ids: tuple[int, ...]


class Scored(msgspec.Struct, frozen=True, tag=True):
    """The surprisal in bits, or None while the prompt is still being processed."""

    bits: float | None


class Rank(msgspec.Struct, frozen=True, tag=True):
    """A request to search for questions of the set, from index `first` on, for a moment."""

    kind: Kind
    first: int


class Ranked(msgspec.Struct, frozen=True, tag=True):
    """The results of some searches.

    `ranks` has the rank of the first right passage (from 1; 0 if it is not found), and `scores`
    the score of the first passage. `seconds` is the time that this took.
    """

    ranks: tuple[int, ...]
    scores: tuple[float, ...]
    seconds: float


Question = Look | Read | Find | Write | Score | Rank
Answer = Sources | ReadSoFar | Found | Written | Scored | Ranked
