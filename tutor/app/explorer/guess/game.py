"""The rules, the score and the state of the guessing game.

Shannon had people guess English text letter by letter to measure how predictable it is ("Prediction
and Entropy of Printed English", 1951). Cover and King had people bet on their guesses ("A
convergent gambling estimate of the entropy of English", 1978). In this game, the learner bets a
probability on one token, and the remaining probability is spread evenly over all other tokens. The
score is the surprisal of the true token: -log2 p bits, where p is the probability that the player
gave to that token. The same rule applies to the learner and the model.

The game shows where the model's advantage comes from. It comes mostly from spreading the
probability over all tokens that could follow, and less from better first guesses.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from tutor.language import _
from tutor.lm.distribution import Distribution, Row

if TYPE_CHECKING:
    from tutor.lm.distribution import Token

CONFIDENCES = (0.1, 0.3, 0.5, 0.7, 0.9)
RULE = _(
    "You bet a probability on your guess, and the rest is spread evenly over all other tokens. "
    "You and the model each pay the surprisal of the true token, in bits: 50 % on the right token "
    "costs 1 bit."
)


def learner_bits(confidence: float, right: bool, vocabulary_size: int) -> float:
    """Return the learner's surprisal of the true token, in bits.

    `confidence` is the probability that the learner bet on the guess, between 0 and 1 exclusive.
    """
    probability = confidence if right else (1 - confidence) / (vocabulary_size - 1)
    return -math.log2(probability)


class Score(msgspec.Struct, frozen=True):
    """The number of rounds, and each player's total surprisal and correct first guesses."""

    rounds: int = 0
    learner_bits: float = 0.0
    model_bits: float = 0.0
    learner_right: int = 0
    model_right: int = 0

    def after(self, played: Round) -> Score:
        """Return the score after another round."""
        return Score(
            self.rounds + 1,
            self.learner_bits + played.learner_bits,
            self.model_bits + played.model_bits,
            self.learner_right + played.right,
            self.model_right + (played.actual.rank == 1),
        )


LEAST_SHOWN = 3
"""The number of tokens that are shown before the first guess."""
TEXTS = (
    "The sun rises in the east and sets in the west, and every day is a little different.",
    "Once upon a time there was a little girl who lived in a house at the edge of a forest.",
    "To make a cup of tea, boil some water, put a tea bag in a cup, and pour the water over it.",
)


class SavedGame(msgspec.Struct, frozen=True):
    """The saved form of a game.

    `model` is the checksum of the model that tokenized the text. `revealed` is the length in bytes
    of the text shown so far.
    """

    text: str
    shown: int
    score: Score
    model: str = ""
    revealed: int = 0


class Round(msgspec.Struct, frozen=True):
    """One round of the game: the learner's guess, the true token, and the model's distribution."""

    guess: Row
    actual: Row
    distribution: Distribution
    confidence: float
    learner_bits: float

    @property
    def right(self) -> bool:
        return self.guess.token.id == self.actual.token.id

    @property
    def model_bits(self) -> float:
        return self.actual.surprisal_bits


class Game:
    """A game on one text. The learner guesses the token at position `shown`."""

    def __init__(
        self, text: str, tokens: tuple[Token, ...], saved: SavedGame | None, *, model: str
    ) -> None:
        """Start a game, or continue a saved game.

        `model` is the checksum of the model that tokenized the text. If the saved game was played
        with another model, the new game continues at the same position in the text, but with a new
        score, because scores count tokens.
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
    def started(self) -> bool:
        """True if the game has a score and is not over, so that ending it would lose the score."""
        return self.score != Score() and not self.over

    def restarted(self, saved: SavedGame | None) -> bool:
        """Return True if this game continues `saved`, but without its score."""
        if saved is None or saved.text != self.text:
            return False
        return saved.score != Score() and self.score == Score()

    @property
    def before(self) -> str:
        """The text before the token that the learner has to guess."""
        count = self.shown - (self.round is not None)
        return b"".join(token.data for token in self.tokens[:count]).decode("utf-8", "replace")

    def play(self, distribution: Distribution, guess: Row, actual: Row, confidence: float) -> Round:
        """Reveal the next token, add both players' surprisal to the score, and return the round."""
        right = guess.token.id == actual.token.id
        cost = learner_bits(confidence, right, distribution.vocabulary_size)
        self.round = Round(guess, actual, distribution, confidence, cost)
        self.score = self.score.after(self.round)
        self.shown += 1
        return self.round

    def go_on(self) -> None:
        """Go to the next token."""
        self.round = None

    def saved(self) -> SavedGame:
        revealed = sum(len(token.data) for token in self.tokens[: self.shown])
        return SavedGame(self.text, self.shown, self.score, self.model, revealed)
