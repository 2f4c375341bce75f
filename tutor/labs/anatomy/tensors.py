"""List a network's tensors with their roles, and return their weights.

The network stores the query, key and value matrices as one matrix, and the gate and up matrices as
another. This module splits them, so every tensor has its usual name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tutor.lm.fast.linear import FrozenLinear, Int4Linear, Int8Linear, Table
from tutor.lm.fast.network import FrozenBias
from tutor.lm.fast.norm import FrozenNorm
from tutor.lm.inspect.hooks import block_of, feed_forwards_of
from tutor.lm.inspect.rounding import matrix_of
from tutor.lm.network import Bias, FeedForward, MixtureOfExperts, RMSNorm, Transformer


class TensorOf(NamedTuple):
    """A tensor of the network: some or all rows of the weight matrix of `module`.

    Attributes:
        role: The tensor's usual name, such as "query".
        layer: The index of its block, or None for tensors that don't belong to a block.
        first: The index of its first row in the matrix.
        outputs: The number of its rows, which is 1 for a norm.
        inputs: The number of its columns.
    """

    role: str
    layer: int | None
    module: nn.Module
    first: int
    outputs: int
    inputs: int

    @property
    def size(self) -> int:
        return self.outputs * self.inputs

    @property
    def form(self) -> str:
        """The number format of the weights, such as "int4" or "fp32"."""
        return self.module.form if isinstance(self.module, FrozenLinear) else "fp32"

    @property
    def nbytes(self) -> int:
        """The size in memory, in bytes.

        If the tensor is part of a stored matrix, its size is proportional to its number of rows.
        """
        if isinstance(self.module, FrozenLinear):
            return self.module.nbytes * self.outputs // self.module.outputs
        return 4 * self.size


def tensors(network: Transformer) -> Iterator[TensorOf]:
    """Yield all tensors in the order in which the network uses them.

    If the output layer shares the embedding's weights (`Config.tied`), they are listed once, as
    "embedding".
    """
    config = network.config
    width = config.width
    table = network.head if config.tied else network.embedding
    matrix = getattr(table, "matrix", table)
    yield TensorOf("embedding", None, matrix, 0, config.vocabulary_size, width)
    if network.positions is not None:
        positions = getattr(network.positions, "matrix", network.positions)
        yield TensorOf("positions", None, positions, 0, config.context, width)
    for layer in range(config.layers):
        yield from _of_block(network, layer)
    yield from _vectors(None, network.norm)
    if not config.tied:
        yield TensorOf("head", None, network.head, 0, config.vocabulary_size, width)


def _of_block(network: Transformer, layer: int) -> Iterator[TensorOf]:
    config, block = network.config, block_of(network, layer)
    attention = block.attention
    queries, shared = config.heads * config.head_size, config.key_value_heads * config.head_size
    width = config.width
    yield from _vectors(layer, block.attention_norm)
    first = 0
    for role, outputs in (("query", queries), ("key", shared), ("value", shared)):
        yield TensorOf(role, layer, attention.query_key_value, first, outputs, width)
        first += outputs
    yield from _vectors(layer, attention.query_key_value_bias)
    yield from _vectors(layer, attention.query_norm)
    yield from _vectors(layer, attention.key_norm)
    yield TensorOf("output", layer, attention.output, 0, width, queries)
    yield from _vectors(layer, attention.output_bias)
    yield from _vectors(layer, attention.output_norm)
    yield from _vectors(layer, block.feed_forward_norm)
    if isinstance(block.feed_forward, MixtureOfExperts):
        yield TensorOf("router", layer, block.feed_forward.router, 0, config.experts, width)
        if block.feed_forward.shared_router is not None:
            yield TensorOf("router", layer, block.feed_forward.shared_router, 0, 1, width)
    for number, feed_forward in enumerate(feed_forwards_of(network, layer)):
        is_shared = config.experts and number == config.experts
        hidden = config.shared_hidden if is_shared else config.hidden
        yield from _of_feed_forward(layer, feed_forward, width, hidden)


def _of_feed_forward(
    layer: int, feed_forward: FeedForward, width: int, hidden: int
) -> Iterator[TensorOf]:
    for at, role in enumerate(("gate", "up") if feed_forward.gated else ("up",)):
        yield TensorOf(role, layer, feed_forward.gate_up, at * hidden, hidden, width)
    yield from _vectors(layer, feed_forward.gate_up_bias)
    yield TensorOf("down", layer, feed_forward.down, 0, width, hidden)
    yield from _vectors(layer, feed_forward.down_bias)
    yield from _vectors(layer, feed_forward.output_norm)


def _vectors(layer: int | None, module: nn.Module | None) -> Iterator[TensorOf]:
    """Yield the weights of a norm or a bias, or nothing if the network doesn't have it."""
    match module:
        case FrozenNorm() as norm:
            yield TensorOf("norms", layer, norm, 0, 1, len(norm.gain))
        case RMSNorm() as norm:
            yield TensorOf("norms", layer, norm, 0, 1, len(norm.weight))
        case nn.LayerNorm() as norm:
            yield TensorOf("norms", layer, norm, 0, 1, len(norm.weight))
            yield TensorOf("biases", layer, FrozenBias(norm.bias), 0, 1, len(norm.bias))
        case FrozenBias() | Bias() as bias:
            yield TensorOf("biases", layer, bias, 0, 1, len(bias.weight))


@torch.inference_mode()
def weights_of(tensor: TensorOf, most: int) -> Tensor:
    """Return a tensor's weights [rows, inputs].

    If the tensor has more than `most` weights, only every n-th row is returned, with the smallest n
    that stays within the limit.
    """
    step = max(1, math.ceil(tensor.size / most))
    rows = torch.arange(tensor.first, tensor.first + tensor.outputs, step)
    match tensor.module:
        case FrozenNorm() as norm:
            return (norm.gain / math.sqrt(tensor.inputs))[None].cpu()
        case RMSNorm() | nn.LayerNorm() | FrozenBias() | Bias() as vector:
            return vector.weight[None].detach().cpu()
        case Table() as table:
            return table.rows(rows).cpu()
        case module:
            return matrix_of(module)[rows].cpu()


def described(weights: Tensor, bins: int) -> tuple[float, float, tuple[int, ...]]:
    """Return the root mean square of the weights, their largest absolute value, and a histogram.

    The histogram has `bins` bins of equal width from -largest to +largest. Raises `ValueError` if
    all weights are 0.
    """
    largest = float(weights.abs().max())
    if not largest:
        raise ValueError("all weights are 0")
    counts = torch.histc(weights.float(), bins, -largest, largest)
    typical = float(weights.square().mean().sqrt())
    return typical, largest, tuple(int(count) for count in counts.tolist())


def step_error(tensor: TensorOf, weights: Tensor) -> float | None:
    """Estimate the relative error from quantization in the model file. Returns None for floats.

    The original weights are unknown, but the file contains the step sizes. Rounding to steps of
    size s causes uniformly distributed errors with a root mean square of s / √12.
    """
    rows = slice(tensor.first, tensor.first + tensor.outputs)
    match tensor.module:
        case Int4Linear() as packed:
            steps = packed.scales[:, rows, 0].float()
        case Int8Linear() as packed:
            steps = packed.scales[:, rows]
        case _:
            return None
    return float((steps.square().mean() / 12).sqrt() / weights.square().mean().sqrt())
