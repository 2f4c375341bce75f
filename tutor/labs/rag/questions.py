"""The requests that the lab on retrieval sends to its backend, and the responses."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.retrieval.passage import Passage

COURSE = "course"
SHOWN = 5
"""The number of passages that a search returns. No prompt contains more."""
BUDGET = 400
"""The maximum number of tokens for passages in a prompt. Text that doesn't fit is cut off."""
LENGTH = 32
"""The maximum number of tokens in an answer."""
Kind = Literal["words", "meaning", "both", "encoder"]
KINDS: tuple[Kind, ...] = ("words", "meaning", "both")
"""The search methods that are always available: keyword search, semantic search (with the local
model's vectors), and both merged. The sentence encoder requires an extra package."""

Maker = Literal["meaning", "encoder"]
"""The model that computes vectors: the local model ("meaning") or the sentence encoder."""

MAKERS: dict[Kind, Maker] = {"meaning": "meaning", "both": "meaning", "encoder": "encoder"}
"""Maps each search method to the model whose vectors it uses. Keyword search uses none."""


class Way(msgspec.Struct, frozen=True):
    """The settings of a search. `poison` is the text of a false passage, or "" for none."""

    source: str = COURSE
    kind: Kind = "words"
    poison: str = ""


class Source(msgspec.Struct, frozen=True):
    """A collection of texts that can be searched.

    `passages` is the number of passages. `vectors` is True if that number is small enough for a
    semantic search.
    """

    name: str
    passages: int
    vectors: bool


class Hit(msgspec.Struct, frozen=True):
    """A passage that a search has found.

    Attributes:
        marks: The parts of the text that match the question, as pairs of start and end.
        kept: The part of the passage's text that is in the prompt, or "".
        tokens: The number of tokens that the passage takes up in the prompt, including its number
            and its heading.
        whole: The number of tokens that the whole passage would take up.
        false: True if this is the learner's false passage.
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
    """The response to `Look`: the sources that can be searched.

    `encoder` is True if the sentence encoder is installed.
    """

    sources: tuple[Source, ...]
    encoder: bool = False


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request to compute more vectors of a source's passages.

    `done` is the number of vectors computed so far.
    """

    source: str
    done: int
    maker: Maker = "meaning"


class ReadSoFar(msgspec.Struct, frozen=True, tag=True):
    """The response to `Read`: how many of the vectors have been computed so far.

    `seconds` is the mean time for one vector.
    """

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
    """The response to `Write`: the answer so far.

    Attributes:
        ids: The token ids of the answer.
        data: The bytes of the answer.
        ended: True if the answer is complete.
        read: The number of the prompt's tokens that the model has processed.
        total: The number of tokens in the prompt.
        seconds: The computing time of this time slice.
    """

    ids: tuple[int, ...]
    data: bytes
    ended: bool
    read: int
    total: int
    seconds: float


class Score(msgspec.Struct, frozen=True, tag=True):
    """A request for the surprisal of an answer after a prompt."""

    prompt: str
    ids: tuple[int, ...]


class Scored(msgspec.Struct, frozen=True, tag=True):
    """The response to `Score`: the answer's surprisal in bits.

    `bits` is None while the model is still processing the prompt.
    """

    bits: float | None


class Rank(msgspec.Struct, frozen=True, tag=True):
    """A request to run the prepared questions through a search method, from index `first` on.

    The backend stops at the end of the time slice.
    """

    kind: Kind
    first: int


class Ranked(msgspec.Struct, frozen=True, tag=True):
    """The response to `Rank`: search results for some of the prepared questions.

    Attributes:
        ranks: The rank of the first relevant passage for each question, or 0 if none was found.
        scores: The score of the top passage for each question.
        seconds: The computing time of this time slice.
    """

    ranks: tuple[int, ...]
    scores: tuple[float, ...]
    seconds: float


Question = Look | Read | Find | Write | Score | Rank
Answer = Sources | ReadSoFar | Found | Written | Scored | Ranked
