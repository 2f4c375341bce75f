"""Data types that describe how the parts of a network contribute to a logit.

`tutor.lm.inspect.attribution` computes the contributions. This module doesn't import torch.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tutor.lm.distribution import Token

DISAGREE = 1.5
"""The difference, in logits, from which occlusion and direct attribution clearly disagree about a
token of the text."""

MOST_REMOVED = 8
"""The maximum number of tokens in one request for occlusion. Each takes a forward pass."""


class Part(msgspec.Struct, frozen=True):
    """A part of the network that adds a vector to the residual stream.

    It is an attention head, a layer's feed-forward network (if `head` is None), or the embedding
    (if `layer` is None too). Layers and heads are counted from 0. If `steering` is true, it is no
    part of the network, but the vector that steers it (see `tutor.lm.saved_steering`). If `bias` is
    true, it stands for all learned vectors that attention and the final norm add in some families
    of models.
    """

    layer: int | None = None
    head: int | None = None
    steering: bool = False
    bias: bool = False


class Contribution(msgspec.Struct, frozen=True):
    """The direct contribution of one part to the explained logit."""

    part: Part
    logits: float


class Attribution(msgspec.Struct, frozen=True):
    """The direct contributions of all parts to a token's logit at the end of a text.

    `logit` is the logit of `target` or, if there is a second token `against`, the logit of `target`
    minus the logit of `against`. Except for rounding, it is the sum of `embedding`, all of `heads`
    [layers][heads], all of `feed_forward` [layers], `steering`, which is the contribution of
    the vector that steers the network, or 0, and `bias`, which is the contribution of learned
    vectors that some families of models add. If a model caps its logits, `logit` is the one before
    the cap.
    """

    target: Token
    against: Token | None
    logit: float
    embedding: float
    heads: tuple[tuple[float, ...], ...]
    feed_forward: tuple[float, ...]
    steering: float = 0.0
    bias: float = 0.0

    def contributions(self) -> list[Contribution]:
        """Return all contributions, the largest absolute values first.

        Equal contributions have the same order as the parts in the network.
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
        if self.steering:
            yield Contribution(Part(steering=True), self.steering)
        if self.bias:
            yield Contribution(Part(bias=True), self.bias)


class Occlusion(msgspec.Struct, frozen=True):
    """The effect of removing one token from a text.

    `index` is the token's index in the text. `logits` is the decrease of the explained logit, which
    is negative if the logit rises. `probability` is the probability of the target token in the text
    without the removed token.
    """

    index: int
    token: Token
    logits: float
    probability: float
