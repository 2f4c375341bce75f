"""A session in the engine, as the app holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from tutor.engine import wire
from tutor.engine.questions import Fields, Question, SessionQuestions, Value
from tutor.engine.requests import AnswerKind, expect
from tutor.errors import EngineError, ModelError, UnknownSession
from tutor.lm.distribution import ModelCard, Token, common_length

_Move = tuple[Callable[[int], wire.Request], int]
"""A change of the path, and the number of tokens that the path has after it."""


class SessionHost(Protocol):
    """The part of the engine that a session proxy uses."""

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
    """An `AsyncModelSession`: one path of tokens and the model's predictions along it.

    `tokens` is authoritative. It changes at once; the engine is told about the change just before
    the next question, so that a step takes one round trip. If the engine has restarted, or if its
    state is uncertain, it gets the whole path again.

    Every question raises the `TutorError` that the engine answers with.
    """

    def __init__(self, engine: SessionHost, name: str, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self._engine = engine
        self._name = name
        self._model = engine.model
        self._generation = engine.generation
        self._there: tuple[Token, ...] | None = tokens
        """The path in the engine after all requests sent so far; None if that is uncertain."""

    def append(self, tokens: Sequence[Token]) -> None:
        self.tokens += tuple(tokens)

    def go_back(self, length: int) -> None:
        self.tokens = self.tokens[:length]

    def go_to(self, path: Sequence[Token]) -> None:
        self.tokens = tuple(path)

    async def append_turn(self, text: str) -> tuple[Token, ...]:
        before = self.tokens
        opened = await self._ask(
            wire.Opened, lambda id_: wire.AppendTurn(id_, self._name, text), changes_path=True
        )
        self.tokens = self._there = before + opened.tokens
        return opened.tokens

    async def fork(self, length: int) -> SessionProxy:
        beginning = self.tokens[:length]
        name = self._engine.new_name()
        try:
            answer = await self._ask(
                wire.Length, lambda id_: wire.Fork(id_, self._name, name, length)
            )
        except asyncio.CancelledError:
            self._engine.discard(name)  # the engine may have created it already
            raise
        self._check(answer.length, length)
        return SessionProxy(self._engine, name, beginning)

    async def close(self) -> None:
        self._engine.discard(self._name)
        self._there = None

    async def ask_question(
        self,
        question: Question[Fields, Value],
        make: Callable[[int, str], wire.SessionQuestion],
    ) -> Value:
        """Ask the engine, and check that its answer has the size that this path requires."""
        length = len(self.tokens)
        answer = await self._ask(question.answer_kind, lambda id_: make(id_, self._name))
        self._check(*question.counts(make(0, self._name), answer.value, length))
        return answer.value

    def _check(self, told: int, expected: int) -> None:
        """Raise `EngineError` if the engine's count is wrong, and have the path sent again."""
        if told != expected:
            self._there = None
            raise EngineError(
                f"The engine's answer has {told:,} items, but {expected:,} were expected.",
                "Try again: the text is sent to the engine again.",
            )

    async def _ask(
        self,
        expected: type[AnswerKind],
        question: Callable[[int], wire.Request],
        *,
        changes_path: bool = False,
    ) -> AnswerKind:
        """Bring the engine to the current path, if it is on another, and ask.

        `changes_path` means that the question changes the path, and its answer says how.
        """
        path = self.tokens
        try:
            return await self._ask_on(path, expected, question, changes_path)
        except UnknownSession:  # the engine has just restarted
            self._there = None
        return await self._ask_on(path, expected, question, changes_path)

    async def _ask_on(
        self,
        path: tuple[Token, ...],
        expected: type[AnswerKind],
        question: Callable[[int], wire.Request],
        changes_path: bool,
    ) -> AnswerKind:
        model = await self._engine.ready()
        if self._model is None or model.sha256 != self._model.sha256:
            raise ModelError(
                "This text was tokenized for another model.",
                "Enter the text again.",
            )
        moves = self._moves(path, model)
        self._there = None if changes_path else path
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

    def _moves(self, path: tuple[Token, ...], model: ModelCard) -> list[_Move]:
        """Return the changes that bring the engine to `path` from where it is."""
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


def _reached(answer: wire.Answer) -> int:
    """Return how many tokens the path has after a move."""
    if isinstance(answer, wire.Opened):
        return len(answer.tokens)
    return expect(wire.Length, answer).length


def spelled(
    tokens: Sequence[Token], model: ModelCard | None
) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    """Return the ids of tokens, and their bytes if the model is remote."""
    remote = model is not None and model.remote
    return tuple(token.id for token in tokens), tuple(t.data for t in tokens) if remote else ()
