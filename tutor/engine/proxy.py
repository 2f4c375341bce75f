"""The app's proxy for a session in the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from tutor.engine import wire
from tutor.engine.questions import Fields, Question, SessionQuestions, Value
from tutor.engine.requests import AnswerKind, expect
from tutor.errors import EngineError, ModelError, UnknownSession
from tutor.lm.distribution import ModelCard, Token, common_length
from tutor.lm.saved_steering import Applied

_Move = tuple[Callable[[int], wire.Request], int]
"""A request that changes the session's tokens, and the number of tokens after the change."""


class SessionHost(Protocol):
    """The part of the engine client that a session proxy uses."""

    @property
    def model(self) -> ModelCard | None: ...

    @property
    def generation(self) -> int: ...

    async def ready(self) -> ModelCard: ...

    async def ask_in_a_row(
        self, requests: Sequence[Callable[[int], wire.Request]]
    ) -> list[wire.Answer]: ...

    def new_name(self) -> str: ...

    def discard(self, name: str) -> None: ...


class SessionProxy(SessionQuestions):
    """An `AsyncModelSession` that forwards queries to the engine.

    `tokens` is the authoritative state of the session. Changes take effect here immediately and are
    sent to the engine along with the next query, so a step takes only one round trip. If the
    engine has restarted, or if its tokens may differ from `tokens`, the proxy sends all tokens
    again.

    Every query raises any `TutorError` that the engine reports.
    """

    def __init__(self, engine: SessionHost, name: str, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self._engine = engine
        self._name = name
        self._model = engine.model
        self._generation = engine.generation
        self._there: tuple[Token, ...] | None = tokens
        """The engine's tokens after all requests sent so far, or None if they are unknown."""
        self._steering: Applied | None = None
        self._steered: Applied | None = None
        """The vector that steers the engine's session. It is unknown while `_there` is None."""
        self._steers = False
        """Whether the session has ever been steered."""

    def append(self, tokens: Sequence[Token]) -> None:
        self.tokens += tuple(tokens)

    def go_back(self, length: int) -> None:
        self.tokens = self.tokens[:length]

    def go_to(self, path: Sequence[Token]) -> None:
        self.tokens = tuple(path)

    def steer(self, applied: Applied | None) -> None:
        self._steering = applied
        self._steers = self._steers or applied is not None

    async def append_turn(self, text: str) -> tuple[Token, ...]:
        before = self.tokens
        opened = await self._ask(
            wire.Opened, lambda id_: wire.AppendTurn(id_, self._name, text), changes_path=True
        )
        self.tokens = self._there = before + opened.tokens
        return opened.tokens

    async def fork(self, length: int) -> SessionProxy:
        beginning, applied = self.tokens[:length], self._steering
        name = self._engine.new_name()
        try:
            answer = await self._ask(
                wire.Length, lambda id_: wire.Fork(id_, self._name, name, length)
            )
        except asyncio.CancelledError:
            self._engine.discard(name)  # the engine may have created the session already
            raise
        self._check(answer.length, length)
        fork = SessionProxy(self._engine, name, beginning)
        fork.steer(applied)
        fork._steered = applied
        return fork

    async def close(self) -> None:
        self._engine.discard(self._name)
        self._there = None

    async def ask_question(
        self,
        question: Question[Fields, Value],
        make: Callable[[int, str], wire.SessionQuestion],
    ) -> Value:
        """Query the engine, and check that the response has the expected number of items."""
        length = len(self.tokens)
        answer = await self._ask(question.answer_kind, lambda id_: make(id_, self._name))
        self._check(*question.counts(make(0, self._name), answer.value, length))
        return answer.value

    def _check(self, told: int, expected: int) -> None:
        """Raise `EngineError` if the number of items in a response is wrong.

        The next query then sends all tokens again.
        """
        if told != expected:
            self._there = None
            raise EngineError(
                f"The engine's response has {told:,} items instead of {expected:,}.",
                "Try again. The whole text will be sent to the engine.",
            )

    async def _ask(
        self,
        expected: type[AnswerKind],
        question: Callable[[int], wire.Request],
        *,
        changes_path: bool = False,
    ) -> AnswerKind:
        """Update the engine's tokens and steering if necessary, then send the request.

        The tokens and the steering are those at the time of the call, even if they change before
        the engine is ready.

        `changes_path` is True if the request itself changes the tokens. The response then contains
        the change.
        """
        path, applied = self.tokens, self._steering
        try:
            return await self._ask_on(path, applied, expected, question, changes_path)
        except UnknownSession:  # the engine has restarted and lost the session
            self._there = None
        return await self._ask_on(path, applied, expected, question, changes_path)

    async def _ask_on(
        self,
        path: tuple[Token, ...],
        applied: Applied | None,
        expected: type[AnswerKind],
        question: Callable[[int], wire.Request],
        changes_path: bool,
    ) -> AnswerKind:
        model = await self._engine.ready()
        if self._model is None or model.sha256 != self._model.sha256:
            raise ModelError(
                "This text was tokenized by another model.",
                "Enter the text again.",
            )
        moves = self._moves(path, applied, model)
        self._there = None if changes_path else path
        self._steered = applied
        self._generation = self._engine.generation
        try:
            *moved, answer = await self._engine.ask_in_a_row(
                [*(move for move, _ in moves), question]
            )
            for (_, reaches), done in zip(moves, moved, strict=True):
                self._check(_reached(done), reaches)
        except BaseException:
            if moves:
                self._there = None
            raise
        return expect(expected, answer)

    def _moves(
        self, path: tuple[Token, ...], applied: Applied | None, model: ModelCard
    ) -> list[_Move]:
        """Return the requests that give the engine's session the tokens `path` and the steering."""
        moves = self._token_moves(path, model)
        lost = self._there is None or self._generation != self._engine.generation
        if applied != self._steered or (lost and self._steers):
            moves.append((partial(_steer, self._name, applied), len(path)))
        return moves

    def _token_moves(self, path: tuple[Token, ...], model: ModelCard) -> list[_Move]:
        there = self._there if self._generation == self._engine.generation else None
        if there is path:
            kept = len(path)
        else:
            kept = common_length([t.id for t in there or ()], [t.id for t in path])
        if there is None or not kept:
            ids, data = spelled(path, model)
            return [(lambda id_: wire.OpenTokens(id_, self._name, ids, data), len(path))]
        moves: list[_Move] = []
        if kept < len(there):
            moves.append((lambda id_: wire.GoBack(id_, self._name, kept), kept))
        if kept < len(path):
            ids, data = spelled(path[kept:], model)
            moves.append((lambda id_: wire.Append(id_, self._name, ids, data), len(path)))
        return moves


def _steer(session: str, applied: Applied | None, id_: int) -> wire.Request:
    if applied is None:
        return wire.Steer(id_, session)
    return wire.Steer(id_, session, applied.vector.values, applied.vector.layer, applied.strength)


def _reached(answer: wire.Answer) -> int:
    """Return the number of tokens that a session has after a change, given the response."""
    if isinstance(answer, wire.Opened):
        return len(answer.tokens)
    return expect(wire.Length, answer).length


def spelled(
    tokens: Sequence[Token], model: ModelCard | None
) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    """Return the ids of the tokens and, only for a remote model, the bytes of each token."""
    remote = model is not None and model.remote
    return tuple(token.id for token in tokens), tuple(t.data for t in tokens) if remote else ()
