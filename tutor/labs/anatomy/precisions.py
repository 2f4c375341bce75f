"""Requests and responses for running the network at a lower precision, block by block."""

from __future__ import annotations

import msgspec

MOST_TOKENS = 24
"""The maximum number of tokens to process. Longer texts are truncated."""

PRECISIONS = (32, 16, 8, 4, 3, 2)
"""The available precisions, in bits per weight. Results are compared with the first one."""

MATRICES = ("query key value", "output", "gate up", "down")
"""The four weight matrices of a block, as the network stores them."""


class Through(msgspec.Struct, frozen=True, tag=True):
    """A request to run block `layer` with its matrices quantized to `bits` bits.

    `stream` is the residual stream before the block. It is empty for the first block, whose input
    is the embedding of `text`.
    """

    text: str
    bits: int
    layer: int
    stream: bytes


class Compare(msgspec.Struct, frozen=True, tag=True):
    """A request to compare the predictions that result from two final residual streams.

    `exact` is the stream at full precision, and `stream` is the stream at lower precision.
    """

    text: str
    exact: bytes
    stream: bytes


class Stream(msgspec.Struct, frozen=True, tag=True):
    """The residual stream after a block.

    Attributes:
        data: The stream as 32-bit floats [T, width], or None if this machine has no kernel for
            this precision.
        errors: The relative rounding error of each of the `MATRICES`.
        tokens: The number of processed tokens.
        left_out: The number of tokens that were cut from the text.
    """

    data: bytes | None
    errors: tuple[float, ...]
    tokens: int
    left_out: int


class Differences(msgspec.Struct, frozen=True, tag=True):
    """A comparison of the predictions at lower precision and at full precision.

    Attributes:
        divergence: The mean Kullback-Leibler divergence over all positions, in bits.
        same: The fraction of positions with the same most probable token.
        bits: The mean surprisal of the text's tokens at lower precision, in bits.
    """

    divergence: float
    same: float
    bits: float


class Reading(msgspec.Struct, frozen=True):
    """The results at one precision so far.

    Attributes:
        stream: The residual stream after the last finished block.
        errors: The rounding errors of each finished block.
        result: The comparison with full precision, or None until all blocks are finished.
        possible: False if this machine has no kernel for this precision.
    """

    stream: bytes = b""
    errors: tuple[tuple[float, ...], ...] = ()
    result: Differences | None = None
    possible: bool = True

    @property
    def done(self) -> int:
        return len(self.errors)
