"""An answer of the model, with how likely each of its tokens was."""

from __future__ import annotations

import math

import msgspec

LENGTH = 32
"""Tokens of an answer at most: a sentence or two."""


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """An answer as far as it is written: its tokens, their bytes, and the log-probability of each
    (nats). `ended` by a token that ends an answer, which counts like the others, or a line; after
    `most` tokens it is done as well."""

    ids: tuple[int, ...] = ()
    pieces: tuple[bytes, ...] = ()
    logs: tuple[float, ...] = ()
    ended: bool = False
    most: int = LENGTH

    @property
    def done(self) -> bool:
        return self.ended or len(self.ids) >= self.most

    @property
    def text(self) -> str:
        """Without what ended it."""
        kept = self.pieces[:-1] if self.ended else self.pieces
        return b"".join(kept).decode("utf-8", "replace").strip()

    @property
    def total(self) -> float:
        """Log-probability of the whole, in nats."""
        return sum(self.logs)

    @property
    def mean(self) -> float:
        """Mean log-probability of a token, in nats."""
        return self.total / len(self.logs) if self.logs else 0.0

    @property
    def certainty(self) -> float:
        """The geometric mean of the probabilities of its tokens, 0 to 1."""
        return math.exp(self.mean)
