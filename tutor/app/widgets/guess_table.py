"""The model's first rows after a prompt, and where a token stands among them: the learner's guess,
or the one that two prompts are compared by."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tutor.app.compare import Side
from tutor.app.next_token import LookedUp
from tutor.app.theme import ACT, MUTED, likely
from tutor.app.widgets import figures
from tutor.lm.distribution import Row
from tutor.text import safe

_TOKEN = 14
_LONGEST_BAR = 30


def guess_table(found: LookedUp, width: int) -> Content:
    """One line a row: rank, token, probability, bar. The guess is marked with `>`, and stands
    below the others when it is not among them."""
    lines = _lines(found.rows, found.guess, width)
    if not found.whole:
        token = figures.shown(found.guess.token)
        lines.append(Content.styled(f"Your guess begins with the token {token}.", MUTED))
    return Content("\n").join(lines)


def compared_table(prompts: Sequence[str], sides: Sequence[Side], width: int) -> Content:
    """Both distributions one below the other, each under its prompt, its entropy beside that. The
    token asked about is marked with `>`."""
    lines = []
    for prompt, side in zip(prompts, sides, strict=True):
        entropy = f"  {figures.bits(side.entropy_bits)} bits"
        room = max(8, width - len(entropy) - 4)
        lines += [
            Content.assemble((figures.tail(safe(prompt), room), "bold"), (entropy, MUTED)),
            *_lines(side.rows, side.asked, width),
        ]
    return Content("\n").join(lines)


def _lines(rows: Sequence[Row], marked: Row | None, width: int) -> list[Content]:
    bar_width = max(0, min(_LONGEST_BAR, width - 40))
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
