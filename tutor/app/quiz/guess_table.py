"""The model's first rows after a prompt, and where a token stands among them: the learner's guess,
or the one that two prompts are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from textual.content import Content

from tutor.app.quiz.answers import LETTERS
from tutor.app.quiz.compare import Side
from tutor.app.quiz.next_token import LookedUp
from tutor.app.theme import ACT, MUTED, likely
from tutor.app.widgets import figures
from tutor.lm.distribution import Row

_TOKEN = 14
_LONGEST_BAR = 30
_LEAST = 34
"""Columns of a line without its bar."""
_GAP = 2


def guess_table(found: LookedUp, width: int) -> Content:
    """One line a row: rank, token, probability, bar. The guess is marked with `>`, and stands
    below the others when it is not among them."""
    lines = _lines(found.rows, found.guess, width)
    if not found.whole:
        token = figures.shown(found.guess.token)
        lines.append(Content.styled(f"Your guess begins with the token {token}.", MUTED))
    return Content("\n").join(lines)


def compared_table(sides: Sequence[Side], width: int) -> Content:
    """What the model says after each prompt, with its entropy: beside each other where there is
    room, else one below the other. The token asked about is marked with `>`."""
    half = (width - _GAP) // 2
    beside = half >= _LEAST
    blocks = [
        _block(letter, side, half if beside else width)
        for letter, side in zip(LETTERS, sides, strict=False)
    ]
    if not beside:
        return Content("\n").join(line for block in blocks for line in block)
    blank = Content("")
    return Content("\n").join(
        left + Content(" " * (half + _GAP - left.cell_length)) + right
        for left, right in zip_longest(*blocks, fillvalue=blank)
    )


def _block(letter: str, side: Side, width: int) -> list[Content]:
    entropy = f"entropy {figures.bits(side.entropy_bits)} bits"
    head = Content.assemble(f"after {letter}  ", (entropy, MUTED))
    return [head, *_lines(side.rows, side.asked, width)]


def _lines(rows: Sequence[Row], marked: Row | None, width: int) -> list[Content]:
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
