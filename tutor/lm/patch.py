"""Data types that describe a patch: which activation of a network is replaced, and by what.

This module doesn't import torch, because labs use these types in a process that doesn't load torch.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Component = Literal["residual", "attention", "feed-forward", "head"]
"""The activations that can be replaced: the residual stream after a block, what a block's attention
or feed-forward network adds to it, or the output of one head."""

COMPONENTS: tuple[Component, ...] = ("residual", "attention", "feed-forward", "head")

Source = Literal["other", "mean", "zero"]
"""What replaces an activation: the activation of the other run at the same layer and position, the
mean activation on neutral sentences, or zeros."""

SOURCES: tuple[Source, ...] = ("other", "mean", "zero")


class Column(msgspec.Struct, frozen=True, array_like=True, order=True):
    """The same patch at every layer of a network, at one position.

    `position` is counted from 0. `head` is counted from 0 too, and is used only if `component` is
    "head".
    """

    component: Component
    source: Source
    position: int
    head: int = 0


class Patched(msgspec.Struct, frozen=True, array_like=True):
    """The prediction of a run with a patch, for two answers.

    Attributes:
        difference: The logit of the first answer minus the logit of the second.
        first: The probability of the first answer.
        second: The probability of the second answer.
    """

    difference: float
    first: float
    second: float
