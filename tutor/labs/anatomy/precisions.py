"""One text, read with the weights of the network rounded to fewer bits: block by block, and then
the answers compared."""

from __future__ import annotations

import msgspec

MOST_TOKENS = 24
"""Of a longer text the beginning is read at each precision, and the screen says so."""

PRECISIONS = (32, 16, 8, 4, 3, 2)
"""Bits a weight. The first is what the others are compared with."""

MATRICES = ("query key value", "output", "gate up", "down")
"""The four matrices of a block, as the network keeps them."""


class Through(msgspec.Struct, frozen=True, tag=True):
    """What does block `layer` with matrices of so many bits make of the residual stream? No stream:
    that of the embedding."""

    text: str
    bits: int
    layer: int
    stream: bytes


class Compare(msgspec.Struct, frozen=True, tag=True):
    """How do the answers differ, given both streams after the last block?"""

    text: str
    exact: bytes
    stream: bytes


class Stream(msgspec.Struct, frozen=True, tag=True):
    """32-bit floats [T, width] after a block, and how far each of `MATRICES` is off, relative to
    it. None: this machine cannot. `tokens` are read, `left_out` are not."""

    data: bytes | None
    errors: tuple[float, ...]
    tokens: int
    left_out: int


class Differences(msgspec.Struct, frozen=True, tag=True):
    """The mean divergence (Kullback-Leibler) from the exact answers in bits, the share of places
    with the same first choice, and what a token of the text costs, in bits."""

    divergence: float
    same: float
    bits: float


class Reading(msgspec.Struct, frozen=True):
    """How far the reading at one precision is: `errors` of each layer done, the stream after it."""

    stream: bytes = b""
    errors: tuple[tuple[float, ...], ...] = ()
    result: Differences | None = None
    possible: bool = True

    @property
    def done(self) -> int:
        return len(self.errors)
