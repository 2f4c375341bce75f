"""A generated reply, with the probability of each token."""

from __future__ import annotations

import math

import msgspec

LENGTH = 32
"""The maximum number of tokens in a reply. It is enough for a sentence or two."""


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """A generated reply, which may be incomplete.

    Attributes:
        ids: The token ids.
        pieces: The bytes of each token.
        logs: The log-probability of each token, in nats.
        ended: True if the last token is an end token or contains a line break. This token is
            included in `ids`, `pieces` and `logs`.

    A reply is complete if it has ended, or if it has reached the maximum length of `most` tokens.
    """

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
        """Return the text, without the token that ended the reply."""
        kept = self.pieces[:-1] if self.ended else self.pieces
        return b"".join(kept).decode("utf-8", "replace").strip()

    @property
    def total(self) -> float:
        """Return the log-probability of the whole reply, in nats."""
        return sum(self.logs)

    @property
    def mean(self) -> float:
        """Return the mean log-probability per token, in nats."""
        return self.total / len(self.logs) if self.logs else 0.0

    @property
    def certainty(self) -> float:
        """Return the geometric mean of the tokens' probabilities, from 0 to 1."""
        return math.exp(self.mean)
