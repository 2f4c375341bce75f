"""A guess at the next token, looked up in the live model's own distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tutor.errors import TextError
from tutor.lm.distribution import PLAIN, Row

if TYPE_CHECKING:
    from tutor.course.questions.next_token import NextTokenQuestion
    from tutor.engine.api import Engine

SHOWN = 6
"""How many of the model's own rows are shown beside a guess."""


class LookedUp(msgspec.Struct, frozen=True):
    """`guess` is the row of the token that the guess begins with; `rows` the model's first ones.
    `whole` is False when the guess is longer than that one token."""

    guess: Row
    rows: tuple[Row, ...]
    whole: bool


async def look_up(engine: Engine, question: NextTokenQuestion, typed: str) -> LookedUp:
    """Ask the model how probable `typed` is after the prompt of `question`.

    A word can be a token with the space before it or without: the more probable reading counts.
    Raises `TextError` for an empty guess, and what the engine raises.
    """
    guess = typed.strip()
    if not guess:
        raise TextError("Nothing was typed.", "Type how the text goes on.")
    readings = [await engine.tokenize(text) for text in (f" {guess}", guess)]
    session = await engine.open_text(question.prompt)
    try:
        position = len(session.tokens)
        distribution = await session.distribution(
            position, PLAIN, seed=0, top=max(question.within, SHOWN)
        )
        rows = await session.rows(position, PLAIN, tuple(tokens[0].id for tokens in readings))
    finally:
        await session.close()
    best = min(zip(rows, readings, strict=True), key=lambda pair: pair[0].rank)
    return LookedUp(guess=best[0], rows=distribution.rows, whole=len(best[1]) == 1)
