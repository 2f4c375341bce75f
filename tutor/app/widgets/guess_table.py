"""The model's first rows after a prompt, and where the learner's guess stands among them."""

from __future__ import annotations

from textual.content import Content

from tutor.app.next_token import LookedUp
from tutor.app.theme import ACT, MUTED, likely
from tutor.app.widgets import figures
from tutor.lm.distribution import Row

_TOKEN = 14
_LONGEST_BAR = 30


def guess_table(found: LookedUp, width: int) -> Content:
    """One line a row: rank, token, probability, bar. The guess is marked with `>`, and stands
    below the others when it is not among them."""
    bar_width = max(0, min(_LONGEST_BAR, width - 40))
    rows = list(found.rows)
    lines = [_line(row, row.token.id == found.guess.token.id, bar_width) for row in rows]
    if all(row.token.id != found.guess.token.id for row in rows):
        lines.append(_line(found.guess, True, bar_width))
    if not found.whole:
        token = figures.shown(found.guess.token)
        lines.append(Content.styled(f"Your guess begins with the token {token}.", MUTED))
    return Content("\n").join(lines)


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
