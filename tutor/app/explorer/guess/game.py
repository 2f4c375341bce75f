"""The rules, score and state of the guessing game, without screen or engine.

Shannon let people guess English letter by letter to measure how predictable it is ("Prediction and
Entropy of Printed English", 1951). Cover and King let them bet on their guesses ("A convergent
gambling estimate of the entropy of English", 1978). This game does the same: the learner bets a
probability on one token, and the rest is spread evenly over all others. The score is the surprisal
of the true token: -log2 p bits if it was given the probability p, for learner and model alike. The
model does better mostly because it spreads its probability over everything that could follow, not
because its first guess is so good. The game is meant to show that.
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
    "You bet a probability on your guess; the rest is spread evenly over all other tokens. "
    "A token that was given the probability p costs -log2 p bits, for you and for the model."
)


def learner_bits(sureness: float, right: bool, vocabulary_size: int) -> float:
    """Return the surprisal of the true token, given a bet of `sureness` (0 < sureness < 1)."""
    probability = sureness if right else (1 - sureness) / (vocabulary_size - 1)
    return -math.log2(probability)


class Score(msgspec.Struct, frozen=True):
    """The score so far: the bits of both players, and how often each was right at first."""

    rounds: int = 0
    learner_bits: float = 0.0
    model_bits: float = 0.0
    learner_right: int = 0
    model_right: int = 0

    def after(self, played: Round) -> Score:
        """Return the score with one more round."""
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


class SavedGame(msgspec.Struct, frozen=True):
    """A game that can be continued later.

    `model` is the checksum of the model whose tokens were counted, `revealed` the length of the
    revealed text in bytes.
    """

    text: str
    shown: int
    score: Score
    model: str = ""
    revealed: int = 0


class Round(msgspec.Struct, frozen=True):
    """A guess and its outcome."""

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
    """A game on one text: the first `shown` tokens are revealed, and the next one is guessed."""

    def __init__(
        self, text: str, tokens: tuple[Token, ...], saved: SavedGame | None, *, model: str
    ) -> None:
        """`model` is the checksum of the model that the tokens belong to.

        A game saved with another model continues at the same place in the text. Its score counts
        tokens, so it restarts.
        """
        self.text = text
        self.tokens = tokens
        self.model = model
        self.shown = min(LEAST_SHOWN, max(1, len(tokens) - 1))
        self.score = Score()
        self.round: Round | None = None
        if saved is None or saved.text != text:
            return
        if saved.model == model and 0 < saved.shown <= len(tokens):
            self.shown, self.score = saved.shown, saved.score
        else:
            ends = accumulate(len(token.data) for token in tokens)
            self.shown = max(self.shown, sum(end <= saved.revealed for end in ends))

    @property
    def over(self) -> bool:
        return self.shown >= len(self.tokens)

    @property
    def before(self) -> str:
        """The text before the guessed token."""
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
        """Continue with the next token."""
        self.round = None

    def saved(self) -> SavedGame:
        revealed = sum(len(token.data) for token in self.tokens[: self.shown])
        return SavedGame(self.text, self.shown, self.score, self.model, revealed)
