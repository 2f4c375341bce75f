"""The guessing game without screen or engine: what a guess costs in bits, and where a game stands.

Shannon let people guess English letter by letter to measure how predictable it is ("Prediction and
Entropy of Printed English", 1951); Cover and King let them bet on their guesses ("A convergent
gambling estimate of the entropy of English", 1978), which is what happens here: the learner puts a
share on one token, and what is left is spread evenly over all others. A token that had the share p
costs -log2 p bits, for learner and model alike, so neither borrows from the other. The model does
better mostly because it spreads its share over everything that could follow, not because its first
guess is so good; that is what the game is meant to show.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from tutor.lm.distribution import Distribution, Row

if TYPE_CHECKING:
    from tutor.lm.distribution import Token

SURENESS = (0.1, 0.3, 0.5, 0.7, 0.9)
RULE = (
    "You bet a share on your guess; the rest is spread evenly over all other tokens. "
    "A token that held the share p costs -log2 p bits, for you and for the model."
)


def learner_bits(sureness: float, right: bool, vocabulary_size: int) -> float:
    """What the true token costs a learner who put `sureness` (above 0, below 1) on a guess."""
    share = sureness if right else (1 - sureness) / (vocabulary_size - 1)
    return -math.log2(share)


class Score(msgspec.Struct, frozen=True):
    """How a text went so far: bits of both, and how often the first guess was right."""

    rounds: int = 0
    learner_bits: float = 0.0
    model_bits: float = 0.0
    learner_right: int = 0
    model_right: int = 0

    def after(self, played: Round) -> Score:
        """The score with one more round."""
        return Score(
            self.rounds + 1,
            self.learner_bits + played.learner_bits,
            self.model_bits + played.model_bits,
            self.learner_right + played.right,
            self.model_right + (played.actual.rank == 1),
        )


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
        self.score = self.score.after(self.round)
        self.shown += 1
        return self.round

    def go_on(self) -> None:
        """Put the round away; the next token is to be guessed."""
        self.round = None

    def kept(self) -> Kept:
        revealed = sum(len(token.data) for token in self.tokens[: self.shown])
        return Kept(self.text, self.shown, self.score, self.model, revealed)
