"""Complete a line of code, token by token."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from tutor.errors import TextError
from tutor.labs.ghost_text.half_typed import Beginnings, take_back
from tutor.labs.ghost_text.lab import MOST, SHOWN, Answer, Beginning, Proposal, Question
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.model_backend import ModelBackend
from tutor.lm.sampling import ranked

MOMENT = 0.1
"""The maximum computing time of one response, in seconds. It is short, so that the ghost text grows
while the model generates it."""
READ = 1024
"""The maximum number of tokens before the cursor that the model processes."""


class GhostTextBackend(ModelBackend):
    """The lab's backend. A proposal has at most `most` tokens.

    The backend caches the session of the latest text, because most key presses change only the end
    of the text.
    """

    def __init__(self, tools: Tools, most: int = MOST) -> None:
        super().__init__(tools)
        self._moment = min(MOMENT, tools.moment)
        self.most = most

    def answer(self, question: Question) -> Answer:
        """Return the proposal for a text.

        Raises `TextError` if the model cannot process the text.
        """
        begun = time.perf_counter()
        ids, typed = take_back(self._model.tokenizer, question.context)
        room = min(READ, self._model.card.context - self.most - len(typed))
        read = [*self._model.tokenizer.start_ids, *ids[-room:]]
        line = _Line(self, read, typed, question)
        while not line.done:
            line.extend()
            if time.perf_counter() - begun >= self._moment:
                break
            self._check_cancelled()
        left_out = max(0, len(ids) - room)
        tokens = len(self._model.tokenizer.encode(question.context)) - left_out
        return Answer(line.proposal(tokens, left_out))

    @cached_property
    def beginnings(self) -> Beginnings:
        return Beginnings(self._model.tokenizer, self._model.network.config.vocabulary_size)

    def probabilities(self, ids: Sequence[int], typed: bytes) -> Tensor:
        """Return the probabilities [V] of the token after `ids`.

        Tokens that don't match the bytes `typed` have a probability of 0.
        """
        logits = self._read(ids).logits(len(ids)).float()
        if typed:
            fitting = self.beginnings.fitting(typed)
            if not fitting:
                raise TextError(
                    "The model has no token that fits the last characters.",
                    "Type another character.",
                )
            allowed = torch.full_like(logits, -torch.inf)
            allowed[fitting] = logits[fitting]
            logits = allowed
        return logits.softmax(dim=-1)

    def bytes_of(self, id_: int) -> bytes:
        return self._model.tokenizer.token(id_).data

    def ends(self, id_: int) -> bool:
        return id_ in self._model.tokenizer.end_ids


class _Line:
    """A proposal that is being generated.

    The proposal begins with the bytes `typed`, which are already in the file, because `take_back`
    removes the last word before the model continues the text.
    """

    def __init__(
        self, backend: GhostTextBackend, read: Sequence[int], typed: bytes, question: Question
    ) -> None:
        self._backend = backend
        self._read = read
        self._typed = typed
        self._context = question.context
        self._instead = question.instead
        self._beginnings: tuple[Beginning, ...] = ()
        self.closed = False
        self._new = 0
        self._ids: list[int] = []
        self._data = b""
        for id_ in question.ids:
            self._take(id_)

    def extend(self) -> None:
        """Append the most probable token or, at the beginning, the requested token.

        The proposal begins with the first token that adds text to the typed bytes.
        """
        left = self._typed[len(self._data) :]
        shares = self._backend.probabilities([*self._read, *self._ids], left)
        best = int(ranked(shares, 1))
        # This token is the first one that adds new text.
        if len(self._data) <= len(self._typed) and len(self._backend.bytes_of(best)) > len(left):
            self._beginnings = self._ways_to_begin(shares, len(left))
            if self._instead is not None:
                best = self._instead
        self._take(best)

    def _take(self, id_: int) -> None:
        if self._backend.ends(id_):
            self.closed = True
            return
        self._ids.append(id_)
        self._data += self._backend.bytes_of(id_)
        self._new += len(self._data) > len(self._typed)
        self.closed = b"\n" in self._data[len(self._typed) :]

    @property
    def done(self) -> bool:
        return self.closed or self._new >= self._backend.most

    def _ways_to_begin(self, shares: Tensor, left: int) -> tuple[Beginning, ...]:
        ids = ranked(shares, SHOWN + 1).tolist()
        adding = [id_ for id_ in ids if len(self._backend.bytes_of(id_)) > left and shares[id_] > 0]
        return tuple(
            Beginning(id_, self._backend.bytes_of(id_)[left:], float(shares[id_]))
            for id_ in adding[:SHOWN]
        )

    def proposal(self, tokens: int, left_out: int) -> Proposal:
        return Proposal(
            context=self._context,
            instead=self._instead,
            ids=tuple(self._ids),
            pieces=tuple(self._backend.bytes_of(id_) for id_ in self._ids),
            typed=len(self._typed),
            beginnings=self._beginnings,
            tokens=tokens,
            left_out=left_out,
            done=self.done,
            closed=self.closed,
        )


make_backend = GhostTextBackend
