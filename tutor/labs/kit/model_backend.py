"""Base classes and helpers for backends that run the local model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import torch
from msgspec.structs import replace

from tutor.labs.kit.backend import Tools
from tutor.labs.kit.next_tokens.row import NextRow
from tutor.labs.kit.progress import Progress
from tutor.lm.session import Session

if TYPE_CHECKING:
    from torch import Tensor

    from tutor.labs.kit.reply import Reply
    from tutor.lm.language_model import LanguageModel


_BEST = 6
"""The number of tokens listed for each distribution when two distributions are compared."""


class ModelBackend:
    """The base class of backends that cache the session of the latest text.

    If the next text begins with the same tokens, the model doesn't process those tokens again.
    """

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._check_cancelled = tools.check_cancelled
        self._moment = tools.moment
        self._session: Session | None = None

    def _read(self, ids: Sequence[int]) -> Session:
        """Return the cached session, changed to contain exactly these tokens."""
        if self._session is None:
            self._session = Session(self._model, ids, check_cancelled=self._check_cancelled)
        else:
            self._session.replace(ids)
        return self._session


class Growing:
    """The sessions for the unfinished continuations of a prompt, by their token ids."""

    def __init__(self, tools: Tools) -> None:
        self._model = tools.model
        self._check_cancelled = tools.check_cancelled
        self._sessions: dict[tuple[int, ...], Session] = {}
        self.prompt: list[int] = []

    def begin(self, prompt: Sequence[int]) -> None:
        """Set the prompt. If it differs from the previous prompt, drop all sessions."""
        if list(prompt) != self.prompt:
            self.prompt, self._sessions = list(prompt), {}

    def logits(self, ids: tuple[int, ...]) -> Tensor:
        """Return the logits [V] for the next token after the prompt and the tokens `ids`."""
        session = self._sessions.get(ids)
        if session is None:
            session = self._grown(ids)
            self._sessions[ids] = session
        return session.logits(len(session)).float()

    def forget_all_but(self, paths: Iterable[tuple[int, ...]]) -> None:
        """Drop all sessions that are not needed to continue these continuations."""
        wanted: set[tuple[int, ...]] = {()}
        for ids in paths:
            wanted |= {ids, ids[:-1]}
        self._sessions = {ids: it for ids, it in self._sessions.items() if ids in wanted}

    def _grown(self, ids: tuple[int, ...]) -> Session:
        """Return a new session for these tokens, forked from their prefix's session if possible."""
        parent = self._sessions.get(ids[:-1]) if ids else None
        if parent is None:
            path = [*self.prompt, *ids]
            return Session(self._model, path, check_cancelled=self._check_cancelled)
        session = parent.fork(len(parent))
        session.append(ids[-1:])
        return session


def log_probabilities(logits: Tensor) -> Tensor:
    """Return the log-softmax of `logits` [V] in nats, as 64-bit floats.

    No sampler settings are applied.
    """
    return torch.log_softmax(logits.double(), dim=-1)


class Pausable(Protocol):
    """A forward pass that can pause between blocks."""

    @property
    def done(self) -> int: ...
    @property
    def blocks(self) -> int: ...
    @property
    def finished(self) -> bool: ...

    def advance(self, seconds: float) -> None: ...


def advanced(passes: Sequence[Pausable], seconds: float) -> Progress | None:
    """Advance the first unfinished pass for about `seconds`, and return the progress of all passes.

    Returns None if all passes are finished. If a pass is listed twice, it is counted once.
    """
    for passage in passes:
        if not passage.finished:
            passage.advance(seconds)
            each = {id(passage): passage for passage in passes}.values()
            return Progress(sum(p.done for p in each), sum(p.blocks for p in each))
    return None


def next_rows(model: LanguageModel, before: Tensor, after: Tensor) -> tuple[NextRow, ...]:
    """Compare two next-token distributions by their most probable tokens.

    `before` and `after` are log-probabilities [V]. The rows are sorted by the probability in
    `before`.
    """
    best = dict.fromkeys([*_best(before), *_best(after)])
    token = model.tokenizer.token
    rows = [NextRow(token(id_), float(before[id_].exp()), float(after[id_].exp())) for id_ in best]
    return tuple(sorted(rows, key=lambda row: -row.before))


def _best(log_probabilities: Tensor) -> list[int]:
    count = min(_BEST, len(log_probabilities))
    best: list[int] = log_probabilities.topk(count).indices.tolist()
    return best


def longer(model: LanguageModel, reply: Reply, id_: int, log_probability: float) -> Reply:
    """Return a copy of `reply` with one more token, whose log-probability is given in nats."""
    data = model.tokenizer.token(id_).data
    return replace(
        reply,
        ids=(*reply.ids, id_),
        pieces=(*reply.pieces, data),
        logs=(*reply.logs, log_probability),
        ended=id_ in model.tokenizer.end_ids or b"\n" in data,
    )
