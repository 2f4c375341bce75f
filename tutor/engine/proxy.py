"""A session in the engine, as the app holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutor.engine.answers import AnswerKind, expect
from tutor.engine.wire import (
    Answer,
    Append,
    AppendTurn,
    AskDistribution,
    AskRows,
    AskSurprisals,
    AskXRay,
    DistributionAnswer,
    FindTokens,
    Fork,
    GoBack,
    Length,
    Opened,
    OpenTokens,
    Request,
    Rows,
    Surprisals,
    XRayAnswer,
)
from tutor.errors import EngineError, ModelError, UnknownSession
from tutor.lm.distribution import Distribution, ModelCard, Row, SamplerSettings, Token, XRay

if TYPE_CHECKING:
    from tutor.engine.client import Engine


class EngineSession:
    """One path of tokens, and what a model says about it.

    `tokens` is what counts. They change here at once; what the engine has to be told about it is
    sent in front of the next question, so that a step is one round trip. Where the engine was
    started anew, or it is in doubt what it has done, it is put on the whole path again.

    Every question raises the `TutorError` that the engine answers with.
    """

    def __init__(self, engine: Engine, name: str, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self._engine = engine
        self._name = name
        self._model = engine.model
        self._generation = engine.generation
        self._there: tuple[Token, ...] | None = tokens
        """The path in the engine after all that was sent; None: it is in doubt."""

    # --- the path ---------------------------------------------------------------------------

    def append(self, tokens: Sequence[Token]) -> None:
        """Add tokens at the end. Where they are too many, the next question says so."""
        self.tokens += tuple(tokens)

    def go_back(self, length: int) -> None:
        """Shorten the path to its first `length` tokens."""
        self.tokens = self.tokens[:length]

    def go_to(self, path: Sequence[Token]) -> None:
        """Go over to another path; what is computed for the common beginning is kept."""
        self.tokens = tuple(path)

    async def append_turn(self, text: str) -> tuple[Token, ...]:
        """Add the user's next message, as the chat template does; returns the tokens added."""
        before = self.tokens
        opened = await self._ask(
            Opened, lambda id_: AppendTurn(id_, self._name, text), moves_on=True
        )
        self.tokens = self._there = before + opened.tokens
        return opened.tokens

    async def fork(self, length: int) -> EngineSession:
        """Another session on the first `length` tokens, with what is computed for them."""
        beginning = self.tokens[:length]
        name = self._engine.new_name()
        try:
            answer = await self._ask(Length, lambda id_: Fork(id_, self._name, name, length))
        except asyncio.CancelledError:
            self._engine.discard(name)  # it may have been made just before
            raise
        self._check(answer.length, length)
        return EngineSession(self._engine, name, beginning)

    async def close(self) -> None:
        """Let the engine forget this session."""
        self._engine.discard(self._name)
        self._there = None

    # --- questions --------------------------------------------------------------------------

    async def distribution(
        self, position: int, sampler: SamplerSettings, seed: int, top: int
    ) -> Distribution:
        """What comes after the first `position` tokens, with the `top` most probable rows."""
        answer = await self._ask(
            DistributionAnswer,
            lambda id_: AskDistribution(id_, self._name, position, sampler, seed, top),
        )
        return answer.distribution

    async def rows(
        self, position: int, sampler: SamplerSettings, ids: Sequence[int]
    ) -> tuple[Row, ...]:
        """Where these tokens stand in the distribution after `position` tokens."""
        wanted = tuple(ids)
        answer = await self._ask(
            Rows, lambda id_: AskRows(id_, self._name, position, sampler, wanted)
        )
        self._check(len(answer.rows), len(wanted))
        return answer.rows

    async def find(
        self, position: int, sampler: SamplerSettings, query: str, limit: int
    ) -> tuple[Row, ...]:
        """Tokens whose text contains `query`, exact ones first, then the most probable. Raises
        `TextError` if there is none."""
        answer = await self._ask(
            Rows, lambda id_: FindTokens(id_, self._name, position, sampler, query, limit)
        )
        return answer.rows

    async def surprisals(self, start: int = 0) -> tuple[float | None, ...]:
        """How surprising each token from `start` to the end was, in bits; None for the first."""
        expected = max(0, len(self.tokens) - start)
        answer = await self._ask(Surprisals, lambda id_: AskSurprisals(id_, self._name, start))
        self._check(len(answer.bits), expected)
        return answer.bits

    async def xray(self, position: int, layer: int) -> XRay:
        """Logit lens of the token at `position`, counted from 0, and the attention of `layer` and
        of those around it."""
        answer = await self._ask(XRayAnswer, lambda id_: AskXRay(id_, self._name, position, layer))
        xray = answer.xray
        of_one_layer = 4 * xray.heads * (position + 1)  # 32-bit floats
        self._check(len(xray.attention), of_one_layer * len(xray.held))
        return xray

    def _check(self, told: int, expected: int) -> None:
        """Raises `EngineError` where the engine has counted otherwise; it is put on the path of
        `tokens` again then."""
        if told != expected:
            self._there = None
            raise EngineError(
                f"The engine answered about {told:,} in place of {expected:,}.",
                "It is put right with the next step.",
            )

    # --- keeping the engine on this path --------------------------------------------------------

    async def _ask(
        self,
        expected: type[AnswerKind],
        question: Callable[[int], Request],
        *,
        moves_on: bool = False,
    ) -> AnswerKind:
        """Put the engine on the path as it is now, where it is on another, and ask. `moves_on`:
        the question changes the path, and only its answer says to which."""
        path = self.tokens
        try:
            return await self._ask_on(path, expected, question, moves_on)
        except UnknownSession:  # the engine was started anew just now
            self._there = None
        return await self._ask_on(path, expected, question, moves_on)

    async def _ask_on(
        self,
        path: tuple[Token, ...],
        expected: type[AnswerKind],
        question: Callable[[int], Request],
        moves_on: bool,
    ) -> AnswerKind:
        model = await self._engine.ready()
        if self._model is None or model.sha256 != self._model.sha256:
            raise ModelError(
                "This text was read by another model, whose tokens are not those of this one.",
                "Start the text again.",
            )
        moves = self._moves(path, model)
        self._there = None if moves_on else path
        self._generation = self._engine.generation
        try:
            *moved, answer = await self._engine.ask_in_a_row(
                [*(move.request for move in moves), question]
            )
            for move, done in zip(moves, moved, strict=True):
                self._check(_reached(done), move.reaches)
        except BaseException:
            if moves:
                self._there = None
            raise
        return expect(expected, answer)

    def _moves(self, path: tuple[Token, ...], model: ModelCard) -> list[_Move]:
        """What brings the engine onto `path`, from where it is."""
        there = self._there if self._generation == self._engine.generation else None
        kept = 0 if there is None else common_length(there, path)
        if there is None or not kept:
            ids, data = spelled(path, model)
            return [_Move(lambda id_: OpenTokens(id_, self._name, ids, data), len(path))]
        moves = []
        if kept < len(there):
            moves.append(_Move(lambda id_: GoBack(id_, self._name, kept), kept))
        if kept < len(path):
            ids, data = spelled(path[kept:], model)
            moves.append(_Move(lambda id_: Append(id_, self._name, ids, data), len(path)))
        return moves


@dataclass(frozen=True)
class _Move:
    """A change of the path, after which it has `reaches` tokens."""

    request: Callable[[int], Request]
    reaches: int


def _reached(answer: Answer) -> int:
    """How many tokens the path has after a move."""
    if isinstance(answer, Opened):
        return len(answer.tokens)
    return expect(Length, answer).length


def common_length(one: Sequence[Token], other: Sequence[Token]) -> int:
    """How many tokens two paths begin with in common."""
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine.id != theirs.id:
            break
        length += 1
    return length


def spelled(
    tokens: Sequence[Token], model: ModelCard | None
) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    """Tokens as they are sent: their ids, with their bytes where the model is elsewhere."""
    remote = model is not None and model.remote
    return tuple(token.id for token in tokens), tuple(t.data for t in tokens) if remote else ()
