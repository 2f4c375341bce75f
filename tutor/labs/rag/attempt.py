"""One question, from the search to the answer and to what the answer leans on.

The prompt is the plainest that works: the passages with their numbers, the question, `Answer:`.
Which passage an answer is from, a small model cannot be trusted to say. So that is measured: what
the answer costs, in bits, after the question alone, and what it costs after each passage and the
question. The passages that make it much cheaper are those that it is from.
"""

from __future__ import annotations

from collections.abc import Sequence
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
GAINED = 4.0
"""Bits that an answer must gain by a passage to cite it, and at least half of what it gains by the
best of them."""

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


# --- questions and answers ------------------------------------------------------------------------


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


# --- an attempt -----------------------------------------------------------------------------------


class Attempt(msgspec.Struct, frozen=True):
    """A question, and what has come of it. `way` is None where nothing is retrieved. `alone` is
    what the answer costs after the question alone, `costs` after the question and one passage of
    the prompt, in bits."""

    query: str
    way: Way | None
    count: int
    hits: tuple[Hit, ...] | None = None
    ids: tuple[int, ...] = ()
    data: bytes = b""
    ended: bool = False
    read: tuple[int, int] = (0, 0)
    alone: float | None = None
    costs: tuple[float, ...] = ()

    @property
    def given(self) -> tuple[Hit, ...]:
        """What is in the prompt."""
        return tuple(hit for hit in self.hits or () if hit.kept)

    @property
    def found(self) -> bool:
        return self.way is None or self.hits is not None

    @property
    def prompt(self) -> str:
        return prompt(self.query, self.given)

    @property
    def said(self) -> str:
        return self.data.decode("utf-8", "replace").strip()

    @property
    def done(self) -> bool:
        return self.ended and len(self.costs) == len(self.given)

    @property
    def gains(self) -> tuple[float, ...]:
        """For each passage of the prompt, as far as that is known, the bits that the answer gains
        by it."""
        return tuple((self.alone or 0.0) - cost for cost in self.costs)

    @property
    def cited(self) -> tuple[Hit, ...]:
        """The passages that the answer is from, the one that it gains most by first."""
        gains = self.gains
        if not self.done or not gains:
            return ()
        least = max(GAINED, max(gains) / 2)
        best_first = sorted(range(len(gains)), key=lambda place: -gains[place])
        return tuple(self.given[place] for place in best_first if gains[place] >= least)


def passage_line(number: int, heading: str, text: str) -> str:
    """A passage as it stands in the prompt."""
    return f"[{number}] {heading}: {' '.join(text.split())}\n"


def prompt(query: str, given: Sequence[Hit], only: int | None = None) -> str:
    """`only` is the place of the one passage that is wanted; it keeps its number."""
    lines = (
        passage_line(number, hit.passage.heading, hit.kept)
        for number, hit in enumerate(given, start=1)
        if only in (None, number - 1)
    )
    return f"{''.join(lines)}Question: {query}\nAnswer:"


def owed(attempt: Attempt, *, citing: bool = True) -> Question | None:
    """What is to be asked next. With `citing`, also what the answer gains by each passage."""
    if not attempt.query:
        return None
    if attempt.way is not None and attempt.hits is None:
        return Find(attempt.query, attempt.way, attempt.count)
    if not attempt.ended:
        return Write(attempt.prompt, attempt.ids)
    if not citing or attempt.done:
        return None
    if attempt.alone is None:
        return Score(prompt(attempt.query, ()), attempt.ids)
    return Score(prompt(attempt.query, attempt.given, len(attempt.costs)), attempt.ids)


def receive_attempt(attempt: Attempt, question: Question, answer: Answer) -> Attempt:
    replace = msgspec.structs.replace
    match answer:
        case Found(hits=hits):
            return replace(attempt, hits=hits)
        case Written(ids=ids, data=data, ended=ended, read=read, total=total):
            return replace(attempt, ids=ids, data=data, ended=ended, read=(read, total))
        case Scored(bits=bits) if bits is not None:
            if attempt.alone is None:
                return replace(attempt, alone=bits)
            return replace(attempt, costs=(*attempt.costs, bits))
    return attempt  # nothing new: the prompt is still being read
