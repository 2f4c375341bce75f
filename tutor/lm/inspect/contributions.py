"""Measure how much each attention layer, feed-forward network or head adds to a token's logit.

The residual stream after the last block is a sum:

    x = embedding + attention of block 1 + feed-forward of block 1 + attention of block 2 + ...

The final norm divides it by one number, its root mean square r, and multiplies it by a learned
weight w; the output layer then takes the dot product with the token's row u. Once r is known, both
operations are linear, so the logit is also a sum, with one term for each part:

    logit = sum over parts of  (part * w / r) . u

Each term is the part's direct contribution ("direct logit attribution", Elhage et al. 2021). A part
also has indirect effects, because later parts use its output. The direct contribution does not
include them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from tutor.lm.fast.linear import Table
from tutor.lm.inspect.hooks import (
    AddedOutput,
    InputRecorder,
    OutputRecorder,
    Replacement,
    block_of,
    replaced,
)
from tutor.lm.network import Transformer


class Parts:
    """The outputs of the parts of a network in one forward pass, with one tensor per block.

    `attention` and `feed_forward` contain the vectors that these parts add to the residual stream,
    [T, width]. `heads` contains the concatenated outputs of a block's heads [T, heads * head_size],
    before the output matrix mixes them. `added` contains each vector [width] that is added to the
    residual stream although no part computes it (see `tutor.lm.inspect.steering`).
    """

    def __init__(self) -> None:
        self.attention: list[Tensor] = []
        self.feed_forward: list[Tensor] = []
        self.heads: list[Tensor] = []
        self.added: list[Tensor] = []


@contextmanager
def recorded(network: Transformer, parts: Parts) -> Iterator[None]:
    """Append the outputs of all blocks that run in the `with` block to `parts`."""
    changes: list[Replacement] = []
    for layer in range(network.config.layers):
        block = block_of(network, layer)
        attention = block.attention
        changes += [
            (attention, "output", InputRecorder(attention.output, parts.heads)),
            (block, "attention", OutputRecorder(attention, parts.attention)),
        ]
        parent: nn.Module = block
        name, module = "feed_forward", cast("nn.Module", block.feed_forward)
        while isinstance(module, AddedOutput):
            parts.added.append(module.vector)
            parent, name, module = module, "module", module.module
        changes.append((parent, name, OutputRecorder(module, parts.feed_forward)))
    with replaced(changes):
        yield


@torch.inference_mode()
def of_heads(network: Transformer, layer: int, heads: Tensor) -> Tensor:
    """Return what each head of a block adds to the residual stream: [heads, width].

    `heads` [heads * head_size] are the concatenated outputs of the heads at one position. The
    output matrix is linear, so it can be applied to one head's output at a time, with zeros for the
    others.
    """
    count = network.config.heads
    size = network.config.head_size
    alone = torch.eye(count, device=heads.device).repeat_interleave(size, dim=-1) * heads
    output: Tensor = block_of(network, layer).attention.output(alone)
    return output.float()


@torch.inference_mode()
def of_sources(
    network: Transformer, layer: int, head: int, weights: Tensor, values: Tensor
) -> Tensor:
    """Return what a head adds to the residual stream, split by the positions it attends to.

    `weights` [length] is the head's attention to each position, and `values` [length, head_size]
    are the value vectors of these positions. A head's output is the sum of weight * value, and the
    output matrix is linear, so it can be applied to each term. The result is [length, width].
    """
    size = network.config.head_size
    alone = torch.zeros(len(weights), network.config.heads * size, device=values.device)
    alone[:, head * size : (head + 1) * size] = weights[:, None] * values
    output: Tensor = block_of(network, layer).attention.output(alone)
    return output.float()


@torch.inference_mode()
def to_logit(network: Transformer, stream: Tensor, parts: Tensor, token: int) -> Tensor:
    """Return the direct contribution of each part to a token's logit: [N].

    `stream` [width] is the residual stream after the last block, and `parts` [N, width] are vectors
    that were added to it. If they include all vectors, the contributions add up to the logit.
    """
    # The root mean square of a vector of ones is 1, so normalizing it returns the learned weight.
    weight = network.norm(torch.ones_like(stream))
    mean_square = stream.square().mean() + network.config.norm_epsilon
    normalized = parts * weight * mean_square.rsqrt()  # [N, width]
    head = network.head
    if isinstance(head, Table):
        row = head.rows(torch.tensor(token))  # [width]
    elif isinstance(head, nn.Linear):
        row = head.weight[token]
    else:  # the format has no access to single rows
        return network.logits(normalized)[:, token].float().cpu()
    return (normalized @ row).float().cpu()
