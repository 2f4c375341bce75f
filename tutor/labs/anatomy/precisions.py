"""The questions and answers for processing a text with fewer bits per weight, block by block."""

from __future__ import annotations

import msgspec

MOST_TOKENS = 24
"""Maximum tokens of the text; the rest is left out."""

PRECISIONS = (32, 16, 8, 4, 3, 2)
"""Bits per weight. The others are compared with the first."""

MATRICES = ("query key value", "output", "gate up", "down")
"""The four matrices of a block, as the network stores them."""


class Through(msgspec.Struct, frozen=True, tag=True):
    """A request for the residual stream after block `layer`, with its matrices at this precision.

    `stream` is the residual stream before the block, or empty for the embedding.
    """

    text: str
    bits: int
    layer: int
    stream: bytes


class Compare(msgspec.Struct, frozen=True, tag=True):
    """A request to compare the distributions from two residual streams after the last block."""

    text: str
    exact: bytes
    stream: bytes


class Stream(msgspec.Struct, frozen=True, tag=True):
    """A residual stream after a block, [T, width] in 32-bit floats.

    `errors` are the relative errors of each of `MATRICES`. `data` is None if this machine has no
    kernel for the precision. `left_out` tokens of the text were not processed.
    """

    data: bytes | None
    errors: tuple[float, ...]
    tokens: int
    left_out: int


class Differences(msgspec.Struct, frozen=True, tag=True):
    """The comparison with the exact distributions.

    `divergence` is the mean Kullback-Leibler divergence in bits, `same` the fraction of positions
    with the same most probable token, `bits` the mean surprisal of the text's tokens.
    """

    divergence: float
    same: float
    bits: float


class Reading(msgspec.Struct, frozen=True):
    """The progress at one precision: the errors of the layers so far, and the stream after them."""

    stream: bytes = b""
    errors: tuple[tuple[float, ...], ...] = ()
    result: Differences | None = None
    possible: bool = True

    @property
    def done(self) -> int:
        return len(self.errors)
