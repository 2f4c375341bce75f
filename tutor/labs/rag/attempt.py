"""One question, from the search to the answer and to what the answer leans on.

The prompt is the plainest that works: the passages with their numbers, the question, `Answer:`.
Which passage an answer is from, a small model cannot be trusted to say. So that is measured: what
the answer costs, in bits, after the question alone, and what it costs after each passage and the
question. The passages that make it much cheaper are those that it is from.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from tutor.labs.rag import questions
from tutor.labs.rag.questions import Answer, Question

GAINED = 4.0
"""Bits that an answer must gain by a passage to cite it, and at least half of what it gains by the
best of them."""


class Attempt(msgspec.Struct, frozen=True):
    """A question, and what has come of it. `way` is None where nothing is retrieved. `alone` is
    what the answer costs after the question alone, `costs` after the question and one passage of
    the prompt, in bits."""

    query: str
    way: questions.Way | None
    count: int
    hits: tuple[questions.Hit, ...] | None = None
    ids: tuple[int, ...] = ()
    data: bytes = b""
    ended: bool = False
    read: tuple[int, int] = (0, 0)
    alone: float | None = None
    costs: tuple[float, ...] = ()

    @property
    def given(self) -> tuple[questions.Hit, ...]:
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
    def cited(self) -> tuple[questions.Hit, ...]:
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


def prompt(query: str, given: Sequence[questions.Hit], only: int | None = None) -> str:
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
        return questions.Find(attempt.query, attempt.way, attempt.count)
    if not attempt.ended:
        return questions.Write(attempt.prompt, attempt.ids)
    if not citing or attempt.done:
        return None
    if attempt.alone is None:
        return questions.Score(prompt(attempt.query, ()), attempt.ids)
    return questions.Score(prompt(attempt.query, attempt.given, len(attempt.costs)), attempt.ids)


def receive_attempt(attempt: Attempt, question: Question, answer: Answer) -> Attempt:
    match answer:
        case questions.Found(hits=hits):
            return replace(attempt, hits=hits)
        case questions.Written(ids=ids, data=data, ended=ended, read=read, total=total):
            return replace(attempt, ids=ids, data=data, ended=ended, read=(read, total))
        case questions.Scored(bits=bits) if bits is not None:
            if attempt.alone is None:
                return replace(attempt, alone=bits)
            return replace(attempt, costs=(*attempt.costs, bits))
    return attempt  # nothing new: the prompt is still being read
