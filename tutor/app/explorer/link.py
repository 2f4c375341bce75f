"""The explorer's connection to the engine, which keeps one session on the current path."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tutor.app.explorer.effects import Answer, Question, Rebuild, Start
from tutor.app.explorer.xray.inside import Network
from tutor.engine.proxy import spelled
from tutor.errors import TextError
from tutor.language import _
from tutor.lm.distribution import PLAIN, ChatMessage, common_length
from tutor.sharing.document import shared_positions
from tutor.text import visible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from tutor.app.explorer.effects import Retokenize
    from tutor.engine.api import AsyncModelSession, Engine
    from tutor.lm.attribution import Attribution, Occlusion
    from tutor.lm.distribution import Distribution, Row, SamplerSettings, Token, XRay
    from tutor.lm.saved_steering import Applied


CHUNK = 128
"""The number of tokens to process between progress reports.

Processing is not faster with larger chunks.
"""

SHARED = 10
"""The number of distributions to compute between progress reports while a text is saved."""


class Link:
    """An engine session that always follows the learner's current branch.

    When the learner switches to another branch, the session goes back to the last token that both
    branches share, and appends the remaining tokens. The engine therefore stores only one path,
    computes only what differs, and needs no memory for other branches.

    Canceling one of these methods cancels the request to the engine.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._session: AsyncModelSession | None = None
        self._model = ""
        self._generation = 0
        self._steering: Applied | None = None
        self._read = 0
        """The number of tokens in the path that the engine is known to have processed."""
        self._changing = asyncio.Lock()

    async def start(self, start: Start) -> tuple[Token, ...]:
        """Tokenize a prompt or message, and return the tokens.

        The first tokens of a text or conversation become the session's path.
        """
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

    async def rebuild(self, wanted: Rebuild | Retokenize) -> tuple[tuple[Token, ...], ...]:
        """Tokenize each branch of a text or conversation, and return the tokens.

        The branches of a conversation end with the start of the model's next answer.
        """
        if isinstance(wanted, Rebuild):
            return tuple([await self._opened(self._engine.open_chat(b)) for b in wanted.branches])
        # A branch without text has no tokens.
        return tuple(
            [await self._opened(self._engine.open_text(b)) if b else () for b in wanted.branches]
        )

    async def _opened(self, opening: Awaitable[AsyncModelSession]) -> tuple[Token, ...]:
        session = await opening
        async with self._changing:
            await self._keep(session)
        return session.tokens

    async def follow(self, path: Sequence[Token]) -> AsyncModelSession:
        """Move the session to this path, which must not be empty, and return the session."""
        async with self._changing:
            if self._engine.model is None or self._engine.model.sha256 != self._model:
                self._session = None  # the session's tokens belong to another model
            if self._engine.generation != self._generation:
                self._generation, self._read = self._engine.generation, 0
            session = self._session
            there = session.tokens if session else ()
            common = common_length((each.id for each in there), (each.id for each in path))
            self._read = min(self._read, common)
            if session is None or not common:
                session = await self._engine.open_tokens(*spelled(path, self._engine.model))
                await self._keep(session)
                _check_spelling(session.tokens, path)
            else:
                session.go_to(path)
            session.steer(self._steering)
            return session

    async def answer(self, question: Question, on_read: Callable[[int, int], None]) -> Answer:
        """Compute the distribution that `question` requests.

        A long text is processed in chunks. Between two chunks, `on_read` is called with the number
        of tokens processed so far and the total number. Raises `TutorError`.
        """
        self._steer(question.steering)
        session = await self.follow(question.tokens)
        start = question.surprisals_from
        surprisals: list[float | None] = []
        begin = self._read if start is None else start
        total = question.position if start is None else len(question.tokens)
        for end in range(begin + CHUNK, total, CHUNK):
            on_read(end - CHUNK, total)
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
        actual = None
        if question.actual is not None:
            (actual,) = await session.rows(position, sampler, (question.actual,))
        self._read = max(self._read, total)
        return Answer(distribution, actual, tuple(surprisals))

    def _steer(self, steering: Applied | None) -> None:
        """Set the steering vector for the requests that follow."""
        if steering != self._steering:
            self._steering, self._read = steering, 0

    async def find(self, question: Question, query: str, limit: int) -> tuple[tuple[Row, ...], str]:
        """Return the rows of tokens whose text contains `query`, and a sentence about the result.

        The rows come from the distribution that `question` requests. If no token contains `query`,
        the result is the row of the first token of `query`. The sentence can be empty.
        """
        session = await self.follow(question.tokens)
        position, sampler = question.position, question.sampler
        try:
            return tuple(await session.find(position, sampler, query, limit)), ""
        except TextError:
            tokens = await self._engine.tokenize(query)
        session = await self.follow(question.tokens)
        rows = await session.rows(position, sampler, (tokens[0].id,))
        parts = " · ".join(visible(token.data) for token in tokens)
        return tuple(rows), _(
            "No single token contains “{query}”. It is split into: {parts}"
        ).format(query=query, parts=parts)

    async def distributions(
        self,
        path: Sequence[Token],
        sampler: SamplerSettings,
        seed: int,
        steering: Applied | None,
        top: int,
        on_read: Callable[[int, int], None],
    ) -> AsyncIterator[Distribution]:
        """Yield the distributions of a text that is being saved as a file (see `shared_positions`).

        A long text is first processed in chunks. Raises `TutorError`.
        """
        self._steer(steering)
        total = len(path)
        for end in range(self._read + CHUNK, total, CHUNK):
            session = await self.follow(path[:end])
            await session.rows(end, sampler, (path[0].id,))
            self._read = end
        for position in shared_positions(total):
            session = await self.follow(path)
            if position % SHARED == 0:
                on_read(position, total)
            yield await session.distribution(position, sampler, seed, top)

    async def surprisals(self, path: Sequence[Token], start: int) -> Sequence[float | None]:
        """Return the surprisal in bits of each token of `path` from index `start` to the end."""
        session = await self.follow(path)
        return await session.surprisals(start)

    @property
    def model(self) -> str:
        """The checksum of the engine's model, or an empty string while no model is loaded."""
        return self._engine.model.sha256 if self._engine.model else ""

    @property
    def network(self) -> Network:
        """The engine's model, and the vector that steers it."""
        return Network(self.model, self._steering)

    async def xray(
        self, path: Sequence[Token], position: int, layer: int, neighbors: bool = True
    ) -> XRay:
        """Return the attention weights and the logit lens for the token at `position` of `path`."""
        session = await self.follow(path)
        return await session.xray(position, layer, neighbors)

    async def attribution(
        self, path: Sequence[Token], position: int, target: int | None, against: int | None
    ) -> Attribution:
        """Return how much each part of the network contributes to a logit after `position`."""
        session = await self.follow(path)
        return await session.attribution(position, target, against)

    async def sources(
        self,
        path: Sequence[Token],
        position: int,
        layer: int,
        head: int | None,
        target: int | None,
        against: int | None,
    ) -> tuple[float, ...]:
        """Return how much of a head's contribution to a logit comes from each token.

        If `head` is None, the amounts are summed over all heads of the layer.
        """
        session = await self.follow(path)
        return await session.sources(position, layer, head, target, against)

    async def occlusion(
        self,
        path: Sequence[Token],
        position: int,
        index: int,
        target: int | None,
        against: int | None,
    ) -> Occlusion:
        """Return how much removing the token at `index` changes a logit after `position`."""
        session = await self.follow(path)
        (found,) = await session.occlusion(position, (index,), target, against)
        return found

    async def candidates(
        self, path: Sequence[Token], position: int, query: str, limit: int
    ) -> tuple[Sequence[Row], str]:
        """Return rows of tokens that can follow `position`, and a sentence about the result.

        The text of these tokens contains `query` (see `find`). If `query` is empty, they are the
        most probable tokens. The sentence can be empty.
        """
        if query:
            question = Question(tuple(path), position + 1, PLAIN, 0, limit, None, None)
            return await self.find(question, query, limit)
        session = await self.follow(path)
        return (await session.distribution(position + 1, PLAIN, 0, limit)).rows, ""

    async def close(self) -> None:
        """Close the engine's session."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _keep(self, session: AsyncModelSession) -> None:
        before, self._session = self._session, session
        self._read = 0
        self._model = self.model
        if before is not None:
            await before.close()


def _check_spelling(tokens: Sequence[Token], path: Sequence[Token]) -> None:
    """Raise `TextError` if a token that was read from a file has different bytes in this model."""
    if any(mine.data != theirs.data for mine, theirs in zip(tokens, path, strict=True)):
        raise TextError(
            "This text was tokenized by another model.",
            "Press o to open another text.",
        )
