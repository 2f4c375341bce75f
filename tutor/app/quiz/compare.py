"""Two prompts, looked at by the live model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tutor.lm.distribution import PLAIN, Row

if TYPE_CHECKING:
    from tutor.course.questions.compare import ComparePrompts
    from tutor.engine.api import Engine

SHOWN = 4
"""How many of the model's own rows are shown for each prompt."""


class Side(msgspec.Struct, frozen=True):
    """What the model says at the end of one prompt. `asked` is the row of the token that the
    question is about, None where it is about the entropy."""

    rows: tuple[Row, ...]
    entropy_bits: float
    asked: Row | None

    @property
    def value(self) -> float:
        """What is compared: a probability (0 to 1), or bits."""
        return self.entropy_bits if self.asked is None else self.asked.probability


async def compare(engine: Engine, question: ComparePrompts) -> tuple[Side, Side]:
    """Ask the model about both prompts. Raises what the engine raises."""
    wanted = None
    if question.token:
        (wanted, *_) = await engine.tokenize(question.token.replace("␣", " "))
    first, second = question.prompts
    token = wanted.id if wanted else None
    return await _side(engine, first, token), await _side(engine, second, token)


async def _side(engine: Engine, prompt: str, token: int | None) -> Side:
    session = await engine.open_text(prompt)
    try:
        position = len(session.tokens)
        distribution = await session.distribution(position, PLAIN, seed=0, top=SHOWN)
        asked = None
        if token is not None:
            (asked,) = await session.rows(position, PLAIN, (token,))
    finally:
        await session.close()
    return Side(distribution.rows, distribution.entropy_bits, asked)
