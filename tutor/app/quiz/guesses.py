"""Look up a typed guess in the model's distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tutor.lm.distribution import PLAIN

if TYPE_CHECKING:
    from tutor.engine.api import AsyncModelSession, Engine
    from tutor.lm.distribution import Row, SamplerSettings


class Guess(NamedTuple):
    """A typed guess as tokens: the row of the first token, and whether more tokens follow."""

    row: Row
    has_more: bool


async def guessed(engine: Engine, session: AsyncModelSession, guess: str) -> Guess:
    """Look up a word in the next-token distribution for the session's text.

    A word can be one token with a leading space and another token without it. The more probable
    token counts.
    """
    readings = [await first_token(engine, session, text) for text in (f" {guess}", guess)]
    return min(readings, key=lambda each: each.row.rank)


async def first_token(
    engine: Engine, session: AsyncModelSession, text: str, settings: SamplerSettings = PLAIN
) -> Guess:
    """Look up the first token of `text`. `text` can also be the name of a special token."""
    position = len(session.tokens)
    # The tokenizer would split the name of a special token into several tokens.
    if text.startswith("<|"):
        (row,) = await session.find(position, settings, text, 1)
        return Guess(row, has_more=False)
    tokens = await engine.tokenize(text)
    (row,) = await session.rows(position, settings, (tokens[0].id,))
    return Guess(row, has_more=len(tokens) > 1)
