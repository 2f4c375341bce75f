"""Build a finished network with fast modules instead of the plain ones.

    nn.Linear      -> a `FrozenLinear`      weights in fewer bits      tutor.lm.fast.linear
    Attention      -> `FusedAttention`      views, one fused kernel    tutor.lm.fast.attention
    RMSNorm        -> `FrozenNorm`          half as many steps
    nn.Embedding   -> `TableEmbedding`      rows of a packed table
    FeedForward    -> `FastFeedForward`     the same, called without a search for hooks
    Block          -> `FastBlock`           likewise

Each module computes the same as the one it replaces, up to rounding; tests check that. Only the
attention can be trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tutor.lm.fast import linear
from tutor.lm.fast.attention import FusedAttention
from tutor.lm.fast.linear import FrozenLinear, Table
from tutor.lm.fast.module import FastModule
from tutor.lm.network import Block, Config, FeedForward, RMSNorm, Transformer


class FrozenNorm(FastModule):
    """The RMSNorm of a finished model, in half as many steps.

    The root mean square is the vector's length / sqrt(width), and hypot(a, b) is sqrt(a^2 + b^2).
    The square root of the width is multiplied into the weight.
    """

    def __init__(self, weight: Tensor, epsilon: float) -> None:
        super().__init__()
        self.gain = weight * math.sqrt(len(weight))
        self.floor = weight.new_tensor(math.sqrt(len(weight) * epsilon))

    def forward(self, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        return (x / length.hypot_(self.floor)).mul_(self.gain)


class TableEmbedding(FastModule):
    """An embedding that returns rows of a matrix, which can be the output layer's.

    `ids` are [...], the vectors [..., width].
    """

    def __init__(self, matrix: Table) -> None:
        super().__init__()
        self.matrix = matrix

    def forward(self, ids: Tensor) -> Tensor:
        return self.matrix.rows(ids)


class FastFeedForward(FastModule, FeedForward):
    """A `FeedForward` that is called without a search for hooks."""


class FastBlock(FastModule, Block):
    """A block with fast attention and a fast feed-forward network."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.attention = FusedAttention(self.attention)
        self.feed_forward = FastFeedForward(config)


def build(config: Config, tensors: Mapping[str, Tensor]) -> Transformer:
    """Return a network that contains these tensors, without copying them. It cannot be trained."""
    with torch.device("meta"):  # sizes only, no memory
        network = Transformer(config)
        network.blocks = nn.ModuleList(FastBlock(config) for _ in range(config.layers))
    for name, module in list(network.named_modules()):
        own = _below(tensors, name)
        if isinstance(module, nn.Linear):
            network.set_submodule(name, linear.from_tensors(own))
        elif isinstance(module, RMSNorm):
            network.set_submodule(name, FrozenNorm(own["weight"], config.norm_epsilon))
        elif isinstance(module, nn.Embedding):
            matrix = linear.from_tensors(_below(tensors, "head") if config.tied else own)
            assert isinstance(matrix, Table)  # `tutor.lm.formats.convert` ensures this
            network.set_submodule(name, TableEmbedding(matrix))
    for module in network.modules():  # PyTorch finds plain attributes faster
        vars(module).update(module._modules)
    return network.eval()


def _below(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Return the tensors of the module `name`, by their names within it."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)}


def forms(network: Transformer) -> str:
    """Return the number formats of the matrices, those of the blocks first: "int4, int8"."""
    found = [m.form for m in network.blocks.modules() if isinstance(m, FrozenLinear)]
    if isinstance(network.head, FrozenLinear):
        found.append(network.head.form)
    return ", ".join(dict.fromkeys(found))
