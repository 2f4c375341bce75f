"""Requests and responses for processing text with fewer bits per weight, block by block."""

from __future__ import annotations

import msgspec

MOST_TOKENS = 24
"""The maximum number of tokens to process. Longer text is truncated."""

PRECISIONS = (32, 16, 8, 4, 3, 2)
"""The available precisions in bits per weight. The first is the reference for the others."""

MATRICES = ("query key value", "output", "gate up", "down")
"""The four matrices of a block, as the network stores them."""


class Through(msgspec.Struct, frozen=True, tag=True):
    """A request for the residual stream after block `layer`, computed with rounded matrices.

    `bits` is the precision of the matrices. `stream` is the residual stream before the block. If it
    is empty, the embedding is used.
    """

    text: str
    bits: int
    layer: int
    stream: bytes


class Compare(msgspec.Struct, frozen=True, tag=True):
    """A request to compare the predictions from two residual streams after the last block.

    `exact` is the stream at full precision.
    """

    text: str
    exact: bytes
    stream: bytes


class Stream(msgspec.Struct, frozen=True, tag=True):
    """The residual stream after a block, [T, width] in 32-bit floats.

    `data` is None if this machine has no kernel for the precision. `errors` contains the relative
    rounding error of each of the `MATRICES`. `tokens` is the number of processed tokens, and
    `left_out` the number of truncated tokens.
    """

    data: bytes | None
    errors: tuple[float, ...]
    tokens: int
    left_out: int


class Differences(msgspec.Struct, frozen=True, tag=True):
    """A comparison of predictions with the predictions at full precision.

    `divergence` is the mean Kullback-Leibler divergence in bits. `same` is the fraction of
    positions with the same most probable token. `bits` is the mean surprisal of the text's tokens.
    """

    divergence: float
    same: float
    bits: float


class Reading(msgspec.Struct, frozen=True):
    """The progress at one precision.

    `errors` contains the rounding errors of the blocks processed so far, and `stream` the residual
    stream after the last of them. `possible` is False if this machine has no kernel.
    """

    stream: bytes = b""
    errors: tuple[tuple[float, ...], ...] = ()
    result: Differences | None = None
    possible: bool = True

    @property
    def done(self) -> int:
        return len(self.errors)
