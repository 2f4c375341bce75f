"""The requests that the lab sends to its backend, and the responses."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.retrieval.passage import Passage

COURSE = "course"
SHOWN = 5
"""The number of passages that a search returns, and the maximum number in the prompt."""
BUDGET = 400
"""The maximum number of prompt tokens for passages. Text beyond it is cut off."""
LENGTH = 32
"""The maximum number of tokens in an answer."""
Kind = Literal["words", "meaning", "both", "encoder"]
KINDS: tuple[Kind, ...] = ("words", "meaning", "both")
"""The search methods that are always available: by words, by the local model's vectors, and both
merged. A search by the sentence encoder's vectors needs an extra package."""

Maker = Literal["meaning", "encoder"]
"""The model that computes vectors: the local model ("meaning") or the sentence encoder."""

MAKERS: dict[Kind, Maker] = {"meaning": "meaning", "both": "meaning", "encoder": "encoder"}
"""The model whose vectors each search method needs."""


class Way(msgspec.Struct, frozen=True):
    """The settings of a search. `poison` is a false passage to add to the index, if any."""

    source: str = COURSE
    kind: Kind = "words"
    poison: str = ""


class Source(msgspec.Struct, frozen=True):
    """A collection of texts that can be searched.

    `vectors` is True if the collection is small enough to be searched by meaning.
    """

    name: str
    passages: int
    vectors: bool


class Hit(msgspec.Struct, frozen=True):
    """A search result.

    `kept` is the part of the passage that is in the prompt. `tokens` is the token count of that
    part, including its number and heading; `whole` is the token count of the whole passage. `false`
    is True for the learner's false passage.
    """

    passage: Passage
    score: float
    marks: tuple[tuple[int, int], ...] = ()
    kept: str = ""
    tokens: int = 0
    whole: int = 0
    false: bool = False


class Look(msgspec.Struct, frozen=True, tag=True):
    """A request for the sources that can be searched."""


class Sources(msgspec.Struct, frozen=True, tag=True):
    """The sources that can be searched. `encoder` is True if a sentence encoder is installed."""

    sources: tuple[Source, ...]
    encoder: bool = False


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request to compute more passage vectors. `done` vectors have been computed already."""

    source: str
    done: int
    maker: Maker = "meaning"


class ReadSoFar(msgspec.Struct, frozen=True, tag=True):
    """The number of vectors computed so far. `seconds` is the mean time per vector."""

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
    """A request to continue the answer `ids` to this prompt for one time slice."""

    prompt: str
    ids: tuple[int, ...]


class Written(msgspec.Struct, frozen=True, tag=True):
    """The answer so far, as token ids and bytes.

    The model has processed `read` of the prompt's `total` tokens. `seconds` is the length of this
    time slice.
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
    """The answer's surprisal in bits, or None while the prompt is still being processed."""

    bits: float | None


class Rank(msgspec.Struct, frozen=True, tag=True):
    """A request to search on behalf of the prepared questions, from index `first` on.

    The search runs for one time slice.
    """

    kind: Kind
    first: int


class Ranked(msgspec.Struct, frozen=True, tag=True):
    """The search results for some of the prepared questions.

    `ranks` has the rank of the first relevant passage (from 1, or 0 if none was found), and
    `scores` has the score of the top passage. `seconds` is the length of this time slice.
    """

    ranks: tuple[int, ...]
    scores: tuple[float, ...]
    seconds: float


Question = Look | Read | Find | Write | Score | Rank
Answer = Sources | ReadSoFar | Found | Written | Scored | Ranked
