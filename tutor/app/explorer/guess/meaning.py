"""Find the token that a learner's typed guess stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.errors import TextError
from tutor.lm.distribution import PLAIN

if TYPE_CHECKING:
    from tutor.engine.api import AsyncModelSession, Engine
    from tutor.lm.distribution import Row


def typed_words(typed: str) -> list[str]:
    """Split a guess into words. ␣ counts as a space, because the screen shows spaces as ␣."""
    return typed.replace("␣", " ").split()


async def guessed_token(
    session: AsyncModelSession, engine: Engine, position: int, typed: str
) -> Row:
    """Return the row of the first word of `typed` in the distribution after `position` tokens.

    If the first word is not a single token, with or without a space before it, the result is the
    row of the first token of that word. Raises `TextError` if nothing is typed.
    """
    words = typed_words(typed)
    if not words:
        raise TextError("No word was entered.", "Enter the next word.")
    try:
        return (await session.find(position, PLAIN, words[0], 1))[0]
    except TextError:
        pieces = [await engine.tokenize(text) for text in (f" {words[0]}", words[0])]
        rows = await session.rows(position, PLAIN, tuple(tokens[0].id for tokens in pieces))
        return max(rows, key=lambda row: row.probability)
