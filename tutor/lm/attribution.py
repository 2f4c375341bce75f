"""Data types for the attribution of a logit to the parts of the network.

`tutor.lm.inspect.attribution` computes it. This module doesn't import torch.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tutor.lm.distribution import Token


class Part(msgspec.Struct, frozen=True):
    """A part of the network that adds to the residual stream, counted from 0.

    With no layer, it is the embedding. With no head, it is the layer's feed-forward network.
    """

    layer: int | None = None
    head: int | None = None


class Contribution(msgspec.Struct, frozen=True):
    """The contribution of one part to the attributed logit."""

    part: Part
    logits: float


class Attribution(msgspec.Struct, frozen=True):
    """The attribution of a token's logit at the end of a text.

    `logit` is the logit of `target`. With a second token in `against`, it is the logit of `target`
    minus the logit of `against`. It is the sum of `embedding`, all of `heads` [layers][heads], and
    all of `feed_forward` [layers], apart from rounding.
    """

    target: Token
    against: Token | None
    logit: float
    embedding: float
    heads: tuple[tuple[float, ...], ...]
    feed_forward: tuple[float, ...]

    @property
    def attention(self) -> tuple[float, ...]:
        """Return what the attention of each layer adds: the sum over its heads."""
        return tuple(map(sum, self.heads))

    def contributions(self) -> list[Contribution]:
        """Return the contribution of each part, with the largest positive or negative ones first.

        Equal contributions are in the order of the network.
        """
        return sorted(self._in_order(), key=lambda each: -abs(each.logits))

    def _in_order(self) -> Iterator[Contribution]:
        yield Contribution(Part(), self.embedding)
        for layer, (heads, feed_forward) in enumerate(
            zip(self.heads, self.feed_forward, strict=True)
        ):
            for head, logits in enumerate(heads):
                yield Contribution(Part(layer, head), logits)
            yield Contribution(Part(layer), feed_forward)


class Occlusion(msgspec.Struct, frozen=True):
    """The effect of removing one token of a text.

    `index` is the token's index in the text. `logits` is how much the attributed logit falls
    without the token; it is negative if the logit rises. `probability` is the probability of the
    target without the token.
    """

    index: int
    token: Token
    logits: float
    probability: float
