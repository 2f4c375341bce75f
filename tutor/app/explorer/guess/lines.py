"""The lines below the text of the guessing game: the bet, the outcome and the score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.distribution_table import (
    GUESS,
    TRUE,
    Columns,
    RowMarks,
    heading,
    row_line,
)
from tutor.app.widgets import figures
from tutor.app.widgets.layout import first_that_fits
from tutor.language import _
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.guess.game import Game, Round
    from tutor.learner.records import GuessHistory
    from tutor.lm.distribution import Row

SHORT = 18
"""The height, in rows, below which the table has fewer rows and no column names."""


def bet(confidence: float, guess: Row | None) -> Content:
    """Draw the line with the learner's bet, and the token that the learner bets on."""
    named = (figures.shown(guess.token), "bold") if guess else ("", "")
    stake = _percent(confidence)
    return Content.assemble(
        (_("you bet "), theme.MUTED), (stake, "bold"), (_(" on the token "), theme.MUTED), named
    )


def outcome(played: Round, width: int, height: int) -> list[Content]:
    """Draw the outcome of a round: both players' surprisal, and the model's distribution."""
    lines = [_cost_line("you", played.learner_bits, _verdicts(played), width)]
    first, came = played.distribution.rows[0], played.actual
    gave, percent = _("gave {token} {percent}"), figures.percent(came.probability)
    ways = [gave.format(token=figures.shown(came.token), percent=percent), percent]
    if came.rank > 1:
        other = _(", first guess {token} {percent}").format(
            token=figures.shown(first.token), percent=figures.percent(first.probability)
        )
        ways.insert(0, ways[0] + other)
    lines.append(_cost_line("model", played.model_bits, ways, width))
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
        guess, true = (row.token.id == other.token.id for other in (played.guess, came))
        lines.append(row_line(row, columns, RowMarks(guess=guess, true=true)))
    legend = _("{guess} your guess   {true} the true token").format(guess=GUESS, true=TRUE)
    lines.append(Content.styled(legend, theme.MUTED))
    return lines


def totals(game: Game, history: GuessHistory | None, width: int) -> list[Content]:
    """Draw the progress and scores of this game and, with `history`, the scores of all games."""
    score, shown, count = game.score, game.shown, len(game.tokens)
    progress = _("{shown} of {count} tokens shown").format(shown=shown, count=count)
    lines = [Content.styled(progress, theme.MUTED)]
    if score.rounds:
        starts = (progress + _("   bits per token: you "), f"{shown}/{count}   " + _("bits: you "))
        ways = [
            Content.assemble(
                (start, theme.MUTED),
                (figures.bits(score.learner_bits / score.rounds), "bold"),
                (_(", model "), theme.MUTED),
                (figures.bits(score.model_bits / score.rounds), "bold"),
            )
            for start in starts
        ]
        lines = [next((line for line in ways if line.cell_length <= width), ways[-1])]
        right = _("you {learner_right}, model {model_right} of {rounds}").format(
            learner_right=score.learner_right, model_right=score.model_right, rounds=score.rounds
        )
        both = _("first guess right: {right}   the first {given} tokens don't count").format(
            right=right, given=shown - score.rounds
        )
        alone = _("first guess right: {right}").format(right=right)
        short = _("right: {right}").format(right=right)
        said = first_that_fits((both, alone), width, otherwise=short)
        lines.append(Content.styled(said, theme.MUTED))
    if history is not None and history.rounds > score.rounds:
        mine = figures.bits(history.learner_bits / history.rounds)
        model = figures.bits(history.model_bits / history.rounds)
        ever = _("all games, {rounds}, bits per token: you {mine}, model {model}").format(
            rounds=counted(history.rounds, "round"), mine=mine, model=model
        )
        short = _("all games: you {mine}, model {model}").format(mine=mine, model=model)
        said = first_that_fits((ever,), width, otherwise=short)
        lines.append(Content.styled(said, theme.MUTED))
    return lines


def _cost_line(who: str, bits: float, ways: Sequence[str], width: int) -> Content:
    """Draw a player's surprisal, and the first of `ways` to describe it that fits."""
    start = Content.assemble(
        (who.ljust(6), theme.MUTED),
        (_("{bits:>6} bits").format(bits=figures.bits(bits)), "bold"),
        "   ",
    )
    return start + first_that_fits(ways, width - start.cell_length, otherwise=ways[-1])


def _verdicts(played: Round) -> tuple[str, ...]:
    """Return ways to say how the learner has guessed, longest first."""
    if played.right:
        percent = _percent(played.confidence)
        said = _("right, with a bet of {percent}"), _("right, bet {percent}")
        return tuple(way.format(percent=percent) for way in said)
    guess = played.guess
    rank, percent = figures.count(guess.rank), figures.percent(guess.probability)
    said = _("{token} was rank {rank} for the model, {percent}"), _("was rank {rank}")
    token = figures.shown(guess.token)
    return tuple(way.format(token=token, rank=rank, percent=percent) for way in said)


def _percent(confidence: float) -> str:
    return f"{confidence:.0%}".replace("%", " %")
