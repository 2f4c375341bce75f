"""Look up a typed guess in the model's distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tutor.lm.distribution import PLAIN

if TYPE_CHECKING:
    from tutor.engine.api import AsyncModelSession, Engine
    from tutor.lm.distribution import Row, SamplerSettings


class Guess(NamedTuple):
    """A guess as the model reads it: the row of its first token, and whether it has more tokens."""

    row: Row
    has_more: bool


async def guessed(engine: Engine, session: AsyncModelSession, guess: str) -> Guess:
    """Look up `guess` at the end of the session's text.

    A word can be a token with or without a space before it. The more probable reading counts.
    """
    readings = [await first_token(engine, session, text) for text in (f" {guess}", guess)]
    return min(readings, key=lambda each: each.row.rank)


async def first_token(
    engine: Engine, session: AsyncModelSession, text: str, settings: SamplerSettings = PLAIN
) -> Guess:
    """Look up the first token of `text`, or the special token with this name."""
    position = len(session.tokens)
    if text.startswith("<|"):  # the tokenizer would split the name of a special token
        (row,) = await session.find(position, settings, text, 1)
        return Guess(row, has_more=False)
    tokens = await engine.tokenize(text)
    (row,) = await session.rows(position, settings, (tokens[0].id,))
    return Guess(row, has_more=len(tokens) > 1)
