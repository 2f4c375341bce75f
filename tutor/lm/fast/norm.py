"""Norms that cannot be trained."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tutor.lm.fast.module import FastModule


class FrozenNorm(FastModule):
    """An RMSNorm that cannot be trained and needs half as many operations.

    `RMSNorm` computes x / sqrt(mean(x^2) + epsilon) * weight. If |x| is the length of the vector,
    this equals

        x / hypot(|x|, sqrt(width * epsilon)) * (sqrt(width) * weight)

    where hypot(a, b) is sqrt(a^2 + b^2). The constants sqrt(width * epsilon), called `floor`, and
    sqrt(width) * weight, called `gain`, are computed once.
    """

    def __init__(self, weight: Tensor, epsilon: float) -> None:
        super().__init__()
        self.gain = weight * math.sqrt(len(weight))
        self.floor = weight.new_tensor(math.sqrt(len(weight) * epsilon))

    def forward(self, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        return (x / length.hypot_(self.floor)).mul_(self.gain)


class FrozenLayerNorm(FastModule, nn.LayerNorm):
    """A LayerNorm that skips PyTorch's hook checks when it is called."""
