"""The guessing game without screen or engine: where it stands, and what a round gives."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from tutor.app.explorer.guess.score import Score, learner_bits
from tutor.lm.distribution import Distribution, Row

if TYPE_CHECKING:
    from tutor.lm.distribution import Token

LEAST_SHOWN = 3
"""Tokens that are revealed before the first guess."""
TEXTS = (
    "The sun rises in the east and sets in the west, and every day is a little different.",
    "Once upon a time there was a little girl who lived in a house at the edge of a forest.",
    "To make a cup of tea, boil some water, put a tea bag in a cup, and pour the water over it.",
)


class Kept(msgspec.Struct, frozen=True):
    """Where a game was left. `model` is the checksum of the model whose tokens were counted,
    `revealed` how many bytes of the text they were."""

    text: str
    shown: int
    score: Score
    model: str = ""
    revealed: int = 0


class Round(msgspec.Struct, frozen=True):
    """One guess, and what became of it."""

    guess: Row
    actual: Row
    distribution: Distribution
    sureness: float
    learner_bits: float

    @property
    def right(self) -> bool:
        return self.guess.token.id == self.actual.token.id

    @property
    def model_bits(self) -> float:
        return self.actual.surprisal_bits


class Game:
    """`shown` of `tokens` are revealed; the next one is to be guessed."""

    def __init__(
        self, text: str, tokens: tuple[Token, ...], kept: Kept | None, *, model: str
    ) -> None:
        """`model` is the checksum of the model whose tokens these are. A game that was left with
        another one goes on where it was; its score, which counts tokens, begins again."""
        self.text = text
        self.tokens = tokens
        self.model = model
        self.shown = min(LEAST_SHOWN, max(1, len(tokens) - 1))
        self.score = Score()
        self.round: Round | None = None
        if kept is None or kept.text != text:
            return
        if kept.model == model and 0 < kept.shown <= len(tokens):
            self.shown, self.score = kept.shown, kept.score
        else:
            ends = accumulate(len(token.data) for token in tokens)
            self.shown = max(self.shown, sum(end <= kept.revealed for end in ends))

    @property
    def over(self) -> bool:
        return self.shown >= len(self.tokens)

    @property
    def before(self) -> str:
        """The text that the guess was made after."""
        count = self.shown - (self.round is not None)
        return b"".join(token.data for token in self.tokens[:count]).decode("utf-8", "replace")

    def play(self, distribution: Distribution, guess: Row, actual: Row, sureness: float) -> Round:
        """Reveal the next token and settle the bets."""
        right = guess.token.id == actual.token.id
        cost = learner_bits(sureness, right, distribution.vocabulary_size)
        self.round = Round(guess, actual, distribution, sureness, cost)
        self.score = self.score.after(
            cost, self.round.model_bits, right=right, model_right=actual.rank == 1
        )
        self.shown += 1
        return self.round

    def go_on(self) -> None:
        """Put the round away; the next token is to be guessed."""
        self.round = None

    def kept(self) -> Kept:
        revealed = sum(len(token.data) for token in self.tokens[: self.shown])
        return Kept(self.text, self.shown, self.score, self.model, revealed)
