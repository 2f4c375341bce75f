"""Query the live model to grade answers, and draw its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import msgspec
from textual.content import Content

from tutor.app.quiz.answers import LETTERS
from tutor.app.theme import ACT, MUTED, likely
from tutor.app.widgets import figures
from tutor.course.questions.answers import Answer
from tutor.course.questions.base import not_its_answer
from tutor.course.questions.compare import Compared, ComparePrompts
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.errors import TextError
from tutor.lm.distribution import PLAIN, Distribution, Row

if TYPE_CHECKING:
    from tutor.course.questions.question import Question
    from tutor.engine.api import Engine

_SHOWN = 6
"""The number of top tokens to show with a guess."""
_COMPARED = 4
"""The number of top tokens to show for each of two prompts."""
_TOKEN = 14
_LONGEST_BAR = 30
_LEAST = 34
"""The width of a line without its bar, in columns."""
_GAP = 2


class Live(msgspec.Struct, frozen=True):
    """An answer to grade, and a table of the model's predictions."""

    answer: Answer
    table: Content


async def ask_model(engine: Engine, question: Question, given: Answer, width: int) -> Live:
    """Query the model about the typed text or the chosen prompt, for a table of `width` columns.

    Raises:
        TextError: No text was typed.
        TutorError: The engine failed.
    """
    match question, given:
        case NextTokenQuestion(), str(typed):
            return await _look_up(engine, question, typed, width)
        case ComparePrompts(), int(chosen):
            return await _compare(engine, question, chosen, width)
    raise not_its_answer(question, given)


async def _look_up(engine: Engine, question: NextTokenQuestion, typed: str, width: int) -> Live:
    """Query the model for the probability of `typed` after the prompt of `question`.

    A word can be a token with or without a space before it. The more probable reading counts.
    """
    guess = typed.strip()
    if not guess:
        raise TextError("Nothing was typed.", "Type the next word.")
    readings = [await engine.tokenize(text) for text in (f" {guess}", guess)]
    first_ids = tuple(tokens[0].id for tokens in readings)
    top = max(question.within, _SHOWN)
    distribution, rows = await _after(engine, question.prompt, top, first_ids)
    row, tokens = min(zip(rows, readings, strict=True), key=lambda pair: pair[0].rank)
    lines = _lines(distribution.rows, row, width)
    if len(tokens) > 1:
        said = f"Your guess begins with the token {figures.shown(row.token)}."
        lines.append(Content.styled(said, MUTED))
    return Live(row.rank, Content("\n").join(lines))


async def _compare(engine: Engine, question: ComparePrompts, chosen: int, width: int) -> Live:
    """Query the model about both prompts: the probability of a token after each, or the entropy.

    The tables are next to each other if there is room.
    """
    ids: tuple[int, ...] = ()
    if question.token:
        ids = ((await engine.tokenize(question.token.replace("␣", " ")))[0].id,)
    half = (width - _GAP) // 2
    beside = half >= _LEAST
    values: list[float] = []
    blocks: list[list[Content]] = []
    for letter, prompt in zip(LETTERS, question.prompts, strict=False):
        distribution, rows = await _after(engine, prompt, _COMPARED, ids)
        asked = rows[0] if rows else None
        values.append(distribution.entropy_bits if asked is None else asked.probability)
        entropy = f"entropy {figures.bits(distribution.entropy_bits)} bits"
        head = Content.assemble(f"after {letter}  ", (entropy, MUTED))
        blocks.append([head, *_lines(distribution.rows, asked, half if beside else width)])
    if beside:
        lines = [
            left + Content(" " * (half + _GAP - left.cell_length)) + right
            for left, right in zip_longest(*blocks, fillvalue=Content(""))
        ]
    else:
        lines = [line for block in blocks for line in block]
    return Live(Compared(chosen, (values[0], values[1])), Content("\n").join(lines))


async def _after(
    engine: Engine, prompt: str, top: int, ids: tuple[int, ...]
) -> tuple[Distribution, tuple[Row, ...]]:
    """Return the distribution after a prompt, with its `top` most probable rows, and other rows.

    The other rows are those of the token ids in `ids`.
    """
    session = await engine.open_text(prompt)
    try:
        position = len(session.tokens)
        distribution = await session.distribution(position, PLAIN, seed=0, top=top)
        rows = await session.rows(position, PLAIN, ids) if ids else ()
    finally:
        await session.close()
    return distribution, tuple(rows)


def _lines(rows: Sequence[Row], marked: Row | None, width: int) -> list[Content]:
    """Draw each row as a line with its rank, token, probability and bar.

    `>` marks the token that was asked about. If it is not among the rows, it comes below them.
    """
    bar_width = max(0, min(_LONGEST_BAR, width - _LEAST))
    shown = list(rows)
    if marked is not None and all(row.token.id != marked.token.id for row in rows):
        shown.append(marked)
    wanted = marked.token.id if marked else None
    return [_line(row, row.token.id == wanted, bar_width) for row in shown]


def _line(row: Row, guessed: bool, bar_width: int) -> Content:
    mark = ("> ", f"bold {ACT}") if guessed else "  "
    bar = "█" * round(row.probability * bar_width)
    style = likely(row.probability)
    return Content.assemble(
        mark,
        (f"{row.rank:>6,}  ", MUTED),
        figures.fit(figures.shown(row.token), _TOKEN),
        (figures.percent(row.probability).rjust(figures.PERCENT_WIDTH) + "  ", style),
        (bar, style),
    )
