"""Data types for comparing two distributions over the same vocabulary.

The two distributions are called A and B. They can differ in the text, the sampler settings, the
model, its precision, or in a change to the network. `tutor.lm.divergence` computes the comparison.
This module doesn't import torch.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.lm.distribution import Row, Token

Order = Literal["probability", "change"]
"""The order of a comparison's rows: highest probability in A first, or largest change first."""


class PairedRow(msgspec.Struct, frozen=True):
    """A token, with its row in distribution A and its row in distribution B."""

    a: Row
    b: Row

    @property
    def token(self) -> Token:
        return self.a.token

    @property
    def change(self) -> float:
        """Return the token's probability in B minus its probability in A.

        The sampler settings have been applied to both probabilities.
        """
        return self.b.sampled_probability - self.a.sampled_probability


class PositionPair(msgspec.Struct, frozen=True):
    """A pair of positions, one in each text, at which the distributions are compared.

    A position is the number of tokens before the predicted token.
    """

    a: int
    b: int


class PositionDivergence(msgspec.Struct, frozen=True):
    """The divergence of A and B at one pair of positions.

    `token` is the last token before the position in A's text. `bits` is the Kullback-Leibler
    divergence KL(A || B) in bits, which is infinite if A can choose a token that B never chooses.
    """

    place: PositionPair
    token: Token
    bits: float


class Comparison(msgspec.Struct, frozen=True):
    """The distributions A and B at one pair of positions.

    `bits` is KL(A || B) and `reverse_bits` is KL(B || A), both in bits. `rows` contains the tokens
    with the highest probabilities, or with the largest changes.
    """

    place: PositionPair
    bits: float
    reverse_bits: float
    rows: tuple[PairedRow, ...]


def aligned(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[PositionPair, ...]:
    """Return the pairs of positions at which two texts, given as token ids, can be compared.

    Two texts of the same length are compared after each token. Otherwise, they are compared after
    each token of their common suffix, or only at the end if they have none.
    """
    if len(a) == len(b):
        return tuple(PositionPair(n, n) for n in range(1, len(a) + 1))
    ending = 0
    while ending < min(len(a), len(b)) and a[-1 - ending] == b[-1 - ending]:
        ending += 1
    return tuple(PositionPair(len(a) - n, len(b) - n) for n in reversed(range(max(1, ending))))
