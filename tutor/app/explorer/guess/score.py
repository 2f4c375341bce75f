"""What a guess costs, in bits: the arithmetic of the guessing game.

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

import msgspec

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

    def after(self, learner: float, model: float, *, right: bool, model_right: bool) -> Score:
        """The score with one more round."""
        return Score(
            self.rounds + 1,
            self.learner_bits + learner,
            self.model_bits + model,
            self.learner_right + right,
            self.model_right + model_right,
        )
