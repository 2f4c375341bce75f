"""The lines of the guessing game: the bet, its outcome, and the score so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.distribution_table import Columns, RowMarks, heading, row_line
from tutor.app.widgets import figures
from tutor.text import counted

if TYPE_CHECKING:
    from tutor.app.explorer.guess.game import Game, Round
    from tutor.learner.records import GuessHistory
    from tutor.lm.distribution import Row

SHORT = 18
"""The height, in rows, below which column names and some rows are left out."""


def bet(sureness: float, guess: Row | None) -> Content:
    """Return the line that shows the bet and its token."""
    named = (figures.shown(guess.token), "bold") if guess else ("", "")
    stake = _percent(sureness)
    return Content.assemble(
        ("you bet ", theme.MUTED), (stake, "bold"), (" on the token ", theme.MUTED), named
    )


def outcome(played: Round, width: int, height: int) -> list[Content]:
    """Return lines with each player's surprisal of the true token and the model's distribution."""
    lines = [_cost_line("you", played.learner_bits, _verdict(played))]
    first, came = played.distribution.rows[0], played.actual
    said = f"gave {figures.shown(came.token)} {figures.percent(came.probability)}"
    if came.rank > 1:
        said += f", first guess {figures.shown(first.token)} {figures.percent(first.probability)}"
    lines.append(_cost_line("model", played.model_bits, said))
    rows = list(played.distribution.rows)
    if height < SHORT:
        rows = rows[: max(1, height - 11)]
    for extra in (came, played.guess):
        if all(row.token.id != extra.token.id for row in rows):
            rows.append(extra)
    columns = Columns.fitting(width, sampled=False, greatest_rank=max(row.rank for row in rows))
    columns = columns.without_total
    if height >= SHORT:
        lines += [Content(""), heading(columns)]
    for row in rows:
        guessed, drawn = (row.token.id == other.token.id for other in (played.guess, came))
        lines.append(row_line(row, columns, RowMarks(target=guessed, drawn=drawn)))
    lines.append(Content.styled("› your guess   ◆ the true token", theme.MUTED))
    return lines


def totals(game: Game, history: GuessHistory | None) -> list[Content]:
    """Return the progress and both scores. With `history`, add the scores of all games."""
    score = game.score
    lines = [Content.styled(f"token {game.shown} of {len(game.tokens)}", theme.MUTED)]
    if score.rounds:
        lines[0] = Content.assemble(
            lines[0],
            ("   bits per token: you ", theme.MUTED),
            (figures.bits(score.learner_bits / score.rounds), "bold"),
            (", model ", theme.MUTED),
            (figures.bits(score.model_bits / score.rounds), "bold"),
        )
        right = f"you {score.learner_right}, model {score.model_right} of {score.rounds}"
        lines.append(Content.styled(f"first guess right: {right}", theme.MUTED))
    if history is not None and history.rounds > score.rounds:
        mine = figures.bits(history.learner_bits / history.rounds)
        model = figures.bits(history.model_bits / history.rounds)
        ever = f"all games, {counted(history.rounds, 'round')}: you {mine}, model {model}"
        lines.append(Content.styled(ever, theme.MUTED))
    return lines


def _cost_line(who: str, bits: float, said: str) -> Content:
    return Content.assemble(
        (who.ljust(6), theme.MUTED),
        (f"{figures.bits(bits):>6} bits", "bold"),
        f"   {said}",
    )


def _verdict(played: Round) -> str:
    if played.right:
        return f"right, with a bet of {_percent(played.sureness)}"
    guess = played.guess
    return (
        f"{figures.shown(guess.token)} was rank {figures.count(guess.rank)} for the model, "
        f"{figures.percent(guess.probability)}"
    )


def _percent(sureness: float) -> str:
    return f"{sureness:.0%}".replace("%", " %")
