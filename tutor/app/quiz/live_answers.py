"""Query the live model to grade answers, and draw its predictions as a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import msgspec
from textual.content import Content

from tutor.app.quiz.answers import LETTERS
from tutor.app.quiz.guesses import first_token, guessed
from tutor.app.theme import ACT, MUTED, likely
from tutor.app.widgets import figures
from tutor.app.widgets.selection import MARK
from tutor.course.questions.answers import Answer
from tutor.course.questions.base import not_its_answer
from tutor.course.questions.compare import Compared, ComparePrompts
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.errors import TextError
from tutor.language import _
from tutor.lm.distribution import PLAIN, Distribution, Row

if TYPE_CHECKING:
    from tutor.course.questions.question import Question
    from tutor.engine.api import Engine

_SHOWN = 6
"""The minimum number of top tokens to show for a typed guess."""
_COMPARED = 4
"""The number of top tokens to show for each of two compared prompts."""
_TOKEN = 14
_LONGEST_BAR = 30
_LEAST = 34
"""The width of a table row without its bar, in columns."""
_GAP = 2


class Live(msgspec.Struct, frozen=True):
    """An answer that is ready to be graded, and a table of the model's predictions."""

    answer: Answer
    table: Content


async def ask_model(engine: Engine, question: Question, given: Answer, width: int) -> Live:
    """Query the model about the typed text or the chosen prompt.

    The table with the model's predictions is at most `width` columns wide.

    Raises `TextError` if the learner typed nothing, and `TutorError` if the engine failed.
    """
    match question, given:
        case NextTokenQuestion(), str(typed):
            return await _look_up(engine, question, typed, width)
        case ComparePrompts(), int(chosen):
            return await _compare(engine, question, chosen, width)
    raise not_its_answer(question, given)


async def _look_up(engine: Engine, question: NextTokenQuestion, typed: str, width: int) -> Live:
    """Query the model for the rank of `typed` after the question's prompt."""
    guess = typed.strip()
    if not guess:
        raise TextError("Nothing was typed.", "Type the next word.")
    session = await engine.open_text(question.prompt)
    try:
        top = max(question.within, _SHOWN)
        distribution = await session.distribution(len(session.tokens), PLAIN, seed=0, top=top)
        found = await guessed(engine, session, guess)
    finally:
        await session.close()
    lines = _lines(distribution.rows, found.row, width)
    if found.has_more:
        said = _("Your guess begins with the token {token}.").format(
            token=figures.shown(found.row.token)
        )
        lines.append(Content.styled(said, MUTED))
    return Live(found.row.rank, Content("\n").join(lines))


async def _compare(engine: Engine, question: ComparePrompts, chosen: int, width: int) -> Live:
    """Query the model about two prompts, and compare a token's probability, or the entropy.

    The two tables are next to each other if there is room.
    """
    half = (width - _GAP) // 2
    beside = half >= _LEAST
    values: list[float] = []
    blocks: list[list[Content]] = []
    for letter, prompt in zip(LETTERS, question.prompts, strict=False):
        distribution, asked = await _after(engine, prompt, question.token.replace("␣", " "))
        values.append(distribution.entropy_bits if asked is None else asked.probability)
        entropy = _("entropy {entropy_bits} bits").format(
            entropy_bits=figures.bits(distribution.entropy_bits)
        )
        head = Content.assemble(_("after {letter}  ").format(letter=letter), (entropy, MUTED))
        blocks.append([head, *_lines(distribution.rows, asked, half if beside else width)])
    if beside:
        lines = [
            left + Content(" " * (half + _GAP - left.cell_length)) + right
            for left, right in zip_longest(*blocks, fillvalue=Content(""))
        ]
    else:
        lines = [line for block in blocks for line in block]
    return Live(Compared(chosen, (values[0], values[1])), Content("\n").join(lines))


async def _after(engine: Engine, prompt: str, token: str) -> tuple[Distribution, Row | None]:
    """Return the next-token distribution after a prompt, and the row of `token` in it.

    If `token` is empty, the row is None.
    """
    session = await engine.open_text(prompt)
    try:
        position = len(session.tokens)
        distribution = await session.distribution(position, PLAIN, seed=0, top=_COMPARED)
        found = await first_token(engine, session, token) if token else None
    finally:
        await session.close()
    return distribution, found.row if found else None


def _lines(rows: Sequence[Row], marked: Row | None, width: int) -> list[Content]:
    """Draw a table with the rank, the token, the probability and a bar in each row.

    `›` marks the token in question. If none of the rows has this token, its row is added at the
    end.
    """
    bar_width = max(0, min(_LONGEST_BAR, width - _LEAST))
    shown = list(rows)
    if marked is not None and all(row.token.id != marked.token.id for row in rows):
        shown.append(marked)
    wanted = marked.token.id if marked else None
    return [_line(row, row.token.id == wanted, bar_width) for row in shown]


def _line(row: Row, guessed: bool, bar_width: int) -> Content:
    mark = (f"{MARK} ", f"bold {ACT}") if guessed else "  "
    bar = "█" * round(row.probability * bar_width)
    style = likely(row.probability)
    return Content.assemble(
        mark,
        (f"{row.rank:>6,}  ", MUTED),
        figures.fit(figures.shown(row.token), _TOKEN),
        (figures.percent(row.probability).rjust(figures.PERCENT_WIDTH) + "  ", style),
        (bar, style),
    )
