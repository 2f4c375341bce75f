"""A session in the engine, as the app holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from tutor.engine.protocol import (
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

AnswerKind = TypeVar("AnswerKind", bound=Answer)


class EngineSession:
    """One path of tokens. `tokens` is what counts: the engine is put on this path again whenever
    it was started anew, or whenever it is in doubt what it has done.

    Every method raises the `TutorError` that the engine answers with; then nothing has changed.
    """

    def __init__(self, engine: Engine, name: str, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self._engine = engine
        self._name = name
        self._model = engine.model
        self._opened_in: int | None = engine.generation  # None: the engine's path is in doubt

    # --- the path ---------------------------------------------------------------------------

    async def append(self, tokens: Sequence[Token]) -> None:
        """Add tokens at the end. Raises `ContextFull`."""
        ids, data = spelled(tokens, self._model)
        answer = await self._change(Length, lambda id_: Append(id_, self._name, ids, data))
        self._check(answer.length, len(self.tokens) + len(ids))
        self.tokens += tuple(tokens)

    async def append_turn(self, text: str) -> tuple[Token, ...]:
        """Add the user's next message, as the chat template does; returns the tokens added."""
        opened = await self._change(Opened, lambda id_: AppendTurn(id_, self._name, text))
        self.tokens += opened.tokens
        return opened.tokens

    async def go_back(self, length: int) -> None:
        """Shorten the path to its first `length` tokens."""
        answer = await self._change(Length, lambda id_: GoBack(id_, self._name, length))
        self._check(answer.length, length)
        self.tokens = self.tokens[:length]

    async def fork(self, length: int) -> EngineSession:
        """Another session on the first `length` tokens, with what is computed for them."""
        name = self._engine.new_name()
        try:
            answer = await self._ask(Length, lambda id_: Fork(id_, self._name, name, length))
        except asyncio.CancelledError:
            self._engine.discard(name)  # it may have been made just before
            raise
        self._check(answer.length, length)
        return EngineSession(self._engine, name, self.tokens[:length])

    async def close(self) -> None:
        """Let the engine forget this session."""
        self._engine.discard(self._name)
        self._opened_in = None

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
            self._opened_in = None
            raise EngineError(
                f"The engine answered about {told:,} in place of {expected:,}.",
                "It is put right with the next step.",
            )

    # --- keeping the engine on this path --------------------------------------------------------

    async def _change(
        self, expected: type[AnswerKind], request: Callable[[int], Request]
    ) -> AnswerKind:
        """A request that changes the path. If nobody waits to hear whether it was done, the
        engine is put on the path of `tokens` again before anything else is asked."""
        try:
            return await self._ask(expected, request, cancellable=False)
        except asyncio.CancelledError:
            self._opened_in = None
            raise

    async def _ask(
        self,
        expected: type[AnswerKind],
        request: Callable[[int], Request],
        *,
        cancellable: bool = True,
    ) -> AnswerKind:
        await self._be_open()
        try:
            return await self._engine.ask(expected, request, cancellable=cancellable)
        except UnknownSession:  # the engine was started anew just now
            self._opened_in = None
        await self._be_open()
        return await self._engine.ask(expected, request, cancellable=cancellable)

    async def _be_open(self) -> None:
        model = await self._engine.ready()
        if self._model is None or model.sha256 != self._model.sha256:
            raise ModelError(
                "This text was read by another model, whose tokens are not those of this one.",
                "Start the text again.",
            )
        generation = self._engine.generation
        if self._opened_in != generation:
            ids, data = spelled(self.tokens, model)
            opened = await self._engine.ask(
                Opened, lambda id_: OpenTokens(id_, self._name, ids, data)
            )
            self._check(len(opened.tokens), len(ids))
            self._opened_in = generation


def spelled(
    tokens: Sequence[Token], model: ModelCard | None
) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    """Tokens as they are sent: their ids, with their bytes where the model is elsewhere."""
    remote = model is not None and model.remote
    return tuple(token.id for token in tokens), tuple(t.data for t in tokens) if remote else ()
