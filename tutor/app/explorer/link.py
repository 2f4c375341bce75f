"""The pane's way to the engine: one session that is always brought onto the path asked about."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tutor.app.explorer.effects import Answer, Question, Start
from tutor.engine.proxy import spelled
from tutor.errors import TextError
from tutor.lm.distribution import ChatMessage, common_length
from tutor.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tutor.engine.api import AsyncModelSession, Engine
    from tutor.lm.distribution import Row, Token, XRay


PIECE = 128
"""Tokens read between two reports of how far it is; more would not be read faster."""


class Link:
    """Follows the learner with one engine session.

    Going to another branch goes back to the common stem and appends the rest, so the engine holds
    one path, computes only what differs, and needs no memory for branches nobody looks at.
    Cancelling a method cancels what it asked the engine for.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._session: AsyncModelSession | None = None
        self._model = ""
        self._generation = 0
        self._read = 0
        """So many tokens of the path the engine has read already, as far as is known."""
        self._changing = asyncio.Lock()

    async def start(self, start: Start) -> tuple[Token, ...]:
        """Return the tokens that `start` asks for. Those of a prompt, or of the beginning of a
        conversation, are the path from now on."""
        if start.path:
            session = await self.follow(start.path)
            async with self._changing:
                return await session.append_turn(start.text)
        if start.chat:
            session = await self._engine.open_chat((ChatMessage("user", start.text),))
        else:
            session = await self._engine.open_text(start.text)
        async with self._changing:
            await self._keep(session)
        return session.tokens

    async def follow(self, path: Sequence[Token]) -> AsyncModelSession:
        """The session, brought onto exactly this path (of at least one token)."""
        async with self._changing:
            if self._engine.model is None or self._engine.model.sha256 != self._model:
                self._session = None  # Its tokens are those of another model.
            if self._engine.generation != self._generation:
                self._generation, self._read = self._engine.generation, 0
            session = self._session
            there = session.tokens if session else ()
            common = common_length((each.id for each in there), (each.id for each in path))
            self._read = min(self._read, common)
            if session is None or not common:
                session = await self._engine.open_tokens(*spelled(path, self._engine.model))
                await self._keep(session)
                return session
            session.go_to(path)
            return session

    async def answer(self, question: Question, on_read: Callable[[int, int], None]) -> Answer:
        """Ask the model. What takes long to read is read in pieces, between which `on_read` hears
        how many tokens are read, of how many. Raises the `TutorError` that it answers with."""
        session = await self.follow(question.tokens)
        start = question.surprisals_from
        surprisals: list[float | None] = []
        begin = self._read if start is None else start
        total = question.position if start is None else len(question.tokens)
        for end in range(begin + PIECE, total, PIECE):
            on_read(end - PIECE, total)
            session = await self.follow(question.tokens[:end])
            if start is not None:
                surprisals += await session.surprisals(start + len(surprisals))
            else:
                await session.rows(end, question.sampler, (question.tokens[0].id,))
            self._read = end
        session = await self.follow(question.tokens)
        if start is not None:
            surprisals += await session.surprisals(start + len(surprisals))
        position, sampler = question.position, question.sampler
        distribution = await session.distribution(position, sampler, question.seed, question.top)
        stands = None
        if question.stands is not None:
            (stands,) = await session.rows(position, sampler, (question.stands,))
        self._read = max(self._read, total)
        return Answer(distribution, stands, tuple(surprisals))

    async def find(self, question: Question, query: str, limit: int) -> tuple[tuple[Row, ...], str]:
        """Return rows of the tokens that contain `query`, in the distribution asked about, and what
        there is to say about them. A query that no token contains is tokenized, and the row is that
        of its first token."""
        session = await self.follow(question.tokens)
        position, sampler = question.position, question.sampler
        try:
            return tuple(await session.find(position, sampler, query, limit)), ""
        except TextError:
            tokens = await self._engine.tokenize(query)
        session = await self.follow(question.tokens)
        rows = await session.rows(position, sampler, (tokens[0].id,))
        pieces = " · ".join(visible(token.data) for token in tokens)
        return tuple(rows), f"No single token contains “{query}”. It is made of pieces: {pieces}"

    async def xray(self, path: Sequence[Token], position: int, layer: int) -> XRay:
        """Inside the forward pass of the token at `position` of `path`."""
        session = await self.follow(path)
        return await session.xray(position, layer)

    async def close(self) -> None:
        """Let the engine forget the session."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _keep(self, session: AsyncModelSession) -> None:
        before, self._session = self._session, session
        self._read = 0
        self._model = self._engine.model.sha256 if self._engine.model else ""
        if before is not None:
            await before.close()
