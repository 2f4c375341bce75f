"""Answer one question with retrieved passages, and determine which passages the answer cites.

The prompt is the simplest one that works: the numbered passages, the question, and `Answer:`. We
don't ask the model which passages it used, since a small model's reply would be unreliable.
Instead, we measure the surprisal of the answer after the question alone, and after the question
with one passage at a time. A passage counts as cited if it lowers the surprisal enough (see
`GAINED`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from tutor.labs.rag import questions
from tutor.labs.rag.questions import Answer, Question

GAINED = 4.0
"""A passage counts as cited only if it reduces the answer's surprisal by at least this many bits,
and at least half as much as the best passage does."""


class Attempt(msgspec.Struct, frozen=True):
    """A question, the passages found for it, and the answer so far.

    Attributes:
        query: The question.
        way: The settings of the search, or None if retrieval is off.
        count: The number of passages to put into the prompt.
        hits: The passages found, or None until the search is done.
        ids: The token ids of the answer.
        data: The bytes of the answer.
        ended: True if the answer is complete.
        read: The number of prompt tokens processed so far, and the number of tokens in the prompt.
        alone: The answer's surprisal after the question alone, in bits.
        costs: The answer's surprisal after the question with one passage, for each passage measured
            so far, in bits.
    """

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
        """The passages in the prompt."""
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
        """The reduction of the answer's surprisal by each passage measured so far, in bits."""
        return tuple((self.alone or 0.0) - cost for cost in self.costs)

    @property
    def cited(self) -> tuple[questions.Hit, ...]:
        """The passages that the answer cites, largest gain first."""
        gains = self.gains
        if not self.done or not gains:
            return ()
        least = max(GAINED, max(gains) / 2)
        best_first = sorted(range(len(gains)), key=lambda place: -gains[place])
        return tuple(self.given[place] for place in best_first if gains[place] >= least)


def passage_line(number: int, heading: str, text: str) -> str:
    """Return a passage as one line of the prompt, with its number and its heading."""
    return f"[{number}] {heading}: {' '.join(text.split())}\n"


def prompt(query: str, given: Sequence[questions.Hit], only: int | None = None) -> str:
    """Return the prompt with all passages, or with only the passage at index `only`.

    A single passage keeps its number.
    """
    lines = (
        passage_line(number, hit.passage.heading, hit.kept)
        for number, hit in enumerate(given, start=1)
        if only in (None, number - 1)
    )
    return f"{''.join(lines)}Question: {query}\nAnswer:"


def owed(attempt: Attempt, *, citing: bool = True) -> Question | None:
    """Return the next request, or None if nothing is left to do.

    If `citing` is True and the answer is complete, the next requests measure the passages.
    """
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
    return attempt  # No result yet: the model is still processing the prompt.
