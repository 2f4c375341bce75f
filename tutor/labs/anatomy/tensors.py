"""Where the parameters of a network sit: its matrices and norms by name, and the weights in them.

A matrix that the network keeps joined (query, key and value; gate and up) is taken apart again, so
that every part has the name that the literature has for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tutor.lm.fast.linear import FrozenLinear, Int4Linear, Int8Linear, Table
from tutor.lm.fast.network import FrozenNorm
from tutor.lm.inspect.hooks import block_of
from tutor.lm.network import RMSNorm, Transformer


class TensorOf(NamedTuple):
    """One tensor of the network. `role` says what it is for, `layer` is None outside the blocks.
    It is rows `first` to `first + outputs` of what `module` keeps; a norm has one row."""

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
        """How its numbers are kept: "int4", "fp32" ..."""
        return self.module.form if isinstance(self.module, FrozenLinear) else "fp32"

    @property
    def nbytes(self) -> int:
        """Memory that it takes, its share of what is kept joined."""
        if isinstance(self.module, FrozenLinear):
            return self.module.nbytes * self.outputs // self.module.outputs
        return 4 * self.size


def tensors(network: Transformer) -> Iterator[TensorOf]:
    """All of them, in the order in which a token meets them. An output table that is the embedding
    too (`Config.tied`) comes once, as "embedding"."""
    config = network.config
    queries, shared = config.heads * config.head_size, config.key_value_heads * config.head_size
    width, hidden = config.width, config.hidden
    table = network.head if config.tied else network.embedding
    matrix = getattr(table, "matrix", table)
    yield TensorOf("embedding", None, matrix, 0, config.vocabulary_size, width)
    for layer in range(config.layers):
        block = block_of(network, layer)
        yield TensorOf("norms", layer, block.attention_norm, 0, 1, width)
        first = 0
        for role, outputs in (("query", queries), ("key", shared), ("value", shared)):
            yield TensorOf(role, layer, block.attention.query_key_value, first, outputs, width)
            first += outputs
        yield TensorOf("output", layer, block.attention.output, 0, width, queries)
        yield TensorOf("norms", layer, block.feed_forward_norm, 0, 1, width)
        yield TensorOf("gate", layer, block.feed_forward.gate_up, 0, hidden, width)
        yield TensorOf("up", layer, block.feed_forward.gate_up, hidden, hidden, width)
        yield TensorOf("down", layer, block.feed_forward.down, 0, width, hidden)
    yield TensorOf("norms", None, network.norm, 0, 1, width)
    if not config.tied:
        yield TensorOf("head", None, network.head, 0, config.vocabulary_size, width)


@torch.inference_mode()
def matrix_of(module: nn.Module) -> Tensor:
    """W [outputs, inputs] in 32-bit floats, whatever it is kept as. Where it cannot be read it is
    multiplied with each unit vector, which gives its columns."""
    if isinstance(module, Table):
        return module.rows(torch.arange(module.outputs)).float()
    if isinstance(module, Int4Linear) and (matrix := module.matrix()) is not None:
        return matrix
    if isinstance(module, FrozenLinear):
        columns: Tensor = module(torch.eye(module.inputs))
        return columns.t().float()
    assert isinstance(module, nn.Linear)
    return module.weight.float()


@torch.inference_mode()
def weights_of(tensor: TensorOf, most: int) -> Tensor:
    """The weights of one tensor [rows, inputs]; of one that has more than `most` every n-th row."""
    step = max(1, math.ceil(tensor.size / most))
    rows = torch.arange(tensor.first, tensor.first + tensor.outputs, step)
    match tensor.module:
        case FrozenNorm() as norm:
            return (norm.gain / math.sqrt(tensor.inputs))[None].cpu()
        case RMSNorm() as norm:
            return norm.weight[None].cpu()
        case Table() as table:
            return table.rows(rows).cpu()
        case module:
            return matrix_of(module)[rows].cpu()


def described(weights: Tensor, bins: int) -> tuple[float, float, tuple[int, ...]]:
    """The root mean square of a tensor's numbers, the largest by size, and how many are in each of
    equal steps from -largest to +largest. Raises ValueError for weights that are all 0."""
    largest = float(weights.abs().max())
    if not largest:
        raise ValueError("all weights are 0")
    counts = torch.histc(weights.float(), bins, -largest, largest)
    typical = float(weights.square().mean().sqrt())
    return typical, largest, tuple(int(count) for count in counts.tolist())


def step_error(tensor: TensorOf, weights: Tensor) -> float | None:
    """What rounding to the steps of this file's integers did to a tensor, relative to its
    `weights`. None for floats.

    The weights from before are not there any more. But rounding to steps of size s is off by
    s / √12 in the root mean square (a uniform error), and the sizes of the steps are known.
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
