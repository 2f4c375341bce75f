"""Data types that describe how the parts of a network contribute to a logit.

`tutor.lm.inspect.attribution` computes the contributions. This module doesn't import torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import msgspec

from tutor.lm.distribution import Token

DISAGREE = 1.5
"""Occlusion and direct attribution clearly disagree about a token of the text if their results
differ by at least this many logits."""

MOST_REMOVED = 8
"""The maximum number of tokens in one request for occlusion. Each token takes a forward pass."""


_OPTION = re.compile(r"(?P<layer>[1-9]\d{0,3})\.(?P<head>[1-9]\d{0,3}|ff)", re.ASCII)


class Part(msgspec.Struct, frozen=True):
    """A part of the network that adds a vector to the residual stream.

    It is an attention head, a layer's feed-forward network (if `head` is None), or the embedding
    (if `layer` is None too). Layers and heads are counted from 0. If `steering` is True, the part
    is the vector that steers the network (see `tutor.lm.saved_steering`). If `bias` is True, it is
    the sum of all learned vectors that attention and the final norm add in some model families.
    """

    layer: int | None = None
    head: int | None = None
    steering: bool = False
    bias: bool = False

    @property
    def option(self) -> str:
        """Return the name of a head or feed-forward network on the command line.

        Such names count layers and heads from 1: 24.5 is a head, and 24.ff a feed-forward network.
        """
        layer = 0 if self.layer is None else self.layer + 1
        return f"{layer}.{'ff' if self.head is None else self.head + 1}"

    @classmethod
    def of_option(cls, text: str) -> Part:
        """Return the part that has the name `text` on the command line.

        Raises `ValueError` if `text` is not the name of a part, or contains the number 0.
        """
        found = _OPTION.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is not a part")
        head = found["head"]
        return cls(int(found["layer"]) - 1, None if head == "ff" else int(head) - 1)


class Contribution(msgspec.Struct, frozen=True):
    """The direct contribution of one part to the target logit."""

    part: Part
    logits: float


class Attribution(msgspec.Struct, frozen=True, dict=True):
    """The direct contributions of all parts to a token's logit at the end of a text.

    `logit` is the logit of `target` or, if there is a second token `against`, the logit of `target`
    minus the logit of `against`. Except for rounding, it is the sum of all contributions:
    `embedding`, `heads` [layers][heads], `feed_forward` [layers], `steering` and `bias`. `steering`
    is the contribution of the vector that steers the network (0 without steering), and `bias` is
    the contribution of the learned vectors that some model families add. If a model caps its
    logits, `logit` is the logit before the cap.
    """

    target: Token
    against: Token | None
    logit: float
    embedding: float
    heads: tuple[tuple[float, ...], ...]
    feed_forward: tuple[float, ...]
    steering: float = 0.0
    bias: float = 0.0

    @cached_property
    def contributions(self) -> tuple[Contribution, ...]:
        """Return all contributions, the largest absolute values first.

        Equal contributions have the same order as the parts in the network. The result is cached.
        """
        return tuple(sorted(self._in_order(), key=lambda each: -abs(each.logits)))

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

    `index` is the token's index in the text. `logits` is the decrease in the target logit, which is
    negative if that logit rises. `probability` is the probability of the target token after the
    text without the removed token.
    """

    index: int
    token: Token
    logits: float
    probability: float
