"""Build the network of a trained model from fast modules.

    nn.Linear        -> a `FrozenLinear`     packed weights (`tutor.lm.fast.linear`)
    Attention        -> `FusedAttention`     one fused kernel (`tutor.lm.fast.attention`)
    RMSNorm          -> `FrozenNorm`         half as many operations (`tutor.lm.fast.norm`)
    nn.LayerNorm     -> `FrozenLayerNorm`    calls without hook checks
    Bias             -> `FrozenBias`         calls without hook checks
    nn.Embedding     -> `TableEmbedding`     rows of a packed table
    FeedForward      -> `FastFeedForward`    calls without hook checks
    MixtureOfExperts -> `FastMixture`        calls without hook checks
    Block            -> `FastBlock`          half as many operations per token (`step.py`)

Each fast module computes the same results as the module that it replaces, up to rounding, and tests
check this. Only the fused attention can be trained.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutor.lm.fast import linear
from tutor.lm.fast.attention import FusedAttention
from tutor.lm.fast.linear import FrozenLinear, Int4Linear, Table
from tutor.lm.fast.module import FastModule
from tutor.lm.fast.norm import FrozenLayerNorm, FrozenNorm
from tutor.lm.fast.step import BlockStep, Workspaces, modules_of
from tutor.lm.network import (
    Bias,
    Block,
    Config,
    FeedForward,
    LayerCache,
    MixtureOfExperts,
    RMSNorm,
    Trace,
    Transformer,
)


class FrozenBias(FastModule):
    """A bias that cannot be trained."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight


class TableEmbedding(FastModule):
    """An embedding that looks up rows of a matrix, which it can share with the output layer.

    The input is `ids` [...], and the output is [..., width].
    """

    def __init__(self, matrix: Table) -> None:
        super().__init__()
        self.matrix = matrix

    def forward(self, ids: Tensor) -> Tensor:
        return self.matrix.rows(ids)


class FastFeedForward(FastModule, FeedForward):
    """A `FeedForward` that multiplies in place and skips the hook checks when it is called."""

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.project(x)
        return self.combine(self.activation(gate).mul_(up))


class FastMixture(FastModule, MixtureOfExperts):
    """A mixture of fast feed-forward networks."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.experts = nn.ModuleList(FastFeedForward(config) for _ in range(config.experts))
        if self.shared is not None:
            self.shared = FastFeedForward(config, config.shared_hidden)


class FastBlock(FastModule, Block):
    """A block with fast attention and a fast feed-forward network.

    `step` computes the block for a single token. It is None if `BlockStep` doesn't support the
    block's modules.
    """

    step: BlockStep | None = None

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.attention = FusedAttention(self.attention)
        self.feed_forward = FastMixture(config) if config.experts else FastFeedForward(config)

    def forward(
        self,
        x: Tensor,
        rotation: Tensor | None,
        mask: Tensor | None = None,
        cache: LayerCache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        if cache is None or trace is not None or rotation is None or len(x) != 1:
            return Block.forward(self, x, rotation, mask, cache, trace)
        if (step := self.usable_step()) is None:
            return Block.forward(self, x, rotation, mask, cache, trace)
        return step(x, rotation, (mask,), (cache,))

    def usable_step(self) -> BlockStep | None:
        """Return `step`, or None while one of its modules is replaced by another module."""
        step = self.step
        return step if step is not None and step.modules == modules_of(self) else None


def build(config: Config, tensors: Mapping[str, Tensor]) -> Transformer:
    """Build a network for inference from `tensors`, which are shared and not copied."""
    with torch.device("meta"):  # weights on the "meta" device take no memory
        network = Transformer(config)
        network.blocks = nn.ModuleList(FastBlock(config) for _ in range(config.layers))
    by_module = _by_module(tensors)
    for name, module in list(network.named_modules()):
        own = by_module.get(name, {})
        if isinstance(module, nn.Linear):
            network.set_submodule(name, linear.from_tensors(own))
        elif isinstance(module, RMSNorm):
            network.set_submodule(name, FrozenNorm(own["weight"], config.norm_epsilon))
        elif isinstance(module, nn.LayerNorm):
            network.set_submodule(name, _layer_norm(own, config.norm_epsilon))
        elif isinstance(module, Bias):
            network.set_submodule(name, FrozenBias(own["weight"]))
        elif isinstance(module, nn.Embedding):
            shared = name == "embedding" and config.tied
            matrix = linear.from_tensors(by_module["head"] if shared else own)
            assert isinstance(matrix, Table)  # `tutor.lm.formats.convert` creates only tables here
            network.set_submodule(name, TableEmbedding(matrix))
    for module in network.modules():  # plain attributes are faster to look up
        vars(module).update(module._modules)
    workspaces = Workspaces(config)
    for block in network.blocks:
        assert isinstance(block, FastBlock)
        if _has_step(block):
            block.step = BlockStep(block, workspaces)
    return network.eval()


def _has_step(block: FastBlock) -> bool:
    """Return True if a `BlockStep` can compute this block: a Llama block with 4-bit matrices."""
    attention, feed_forward = block.attention, block.feed_forward
    if not isinstance(feed_forward, FastFeedForward):
        return False  # a mixture of experts
    norms = (block.attention_norm, block.feed_forward_norm)
    matrices = (
        attention.query_key_value,
        attention.output,
        feed_forward.gate_up,
        feed_forward.down,
    )
    others = (
        attention.query_key_value_bias,
        attention.output_bias,
        attention.output_norm,
        attention.query_norm,
        attention.score_cap,
        feed_forward.gate_up_bias,
        feed_forward.down_bias,
        feed_forward.output_norm,
    )
    return (
        all(isinstance(norm, FrozenNorm) for norm in norms)
        and all(isinstance(matrix, Int4Linear) for matrix in matrices)
        and all(other is None for other in others)
        and feed_forward.gated
        and feed_forward.activation is F.silu
        and not block.parallel
    )


def _layer_norm(tensors: Mapping[str, Tensor], epsilon: float) -> FrozenLayerNorm:
    made = FrozenLayerNorm(len(tensors["weight"]), epsilon)
    for name, tensor in tensors.items():  # "weight" and "bias"
        setattr(made, name, nn.Parameter(tensor, requires_grad=False))
    return made


def _by_module(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Map the name of each module to its tensors, whose names are relative to the module."""
    found: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        module, _, own = name.rpartition(".")
        found.setdefault(module, {})[own] = tensor
    return found


def forms(network: Transformer) -> str:
    """Return the number formats of all matrices, such as "int4, int8".

    The formats in the blocks come before the format of the output layer. Routers are left out: they
    are tiny, and always consist of 32-bit floats.
    """
    found = [
        module.form
        for name, module in network.blocks.named_modules()
        if isinstance(module, FrozenLinear) and not name.endswith("router")
    ]
    if isinstance(network.head, FrozenLinear):
        found.append(network.head.form)
    return ", ".join(dict.fromkeys(found))
