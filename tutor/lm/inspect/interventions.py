"""Switch off parts of a network, or remove its causal mask.

Blocks only add to the residual stream, so the network still works if one part of a block adds zeros
instead of its usual output. The change in the network's output shows how much that part
contributes. This is called ablation (for heads, see Michel et al. 2019). A head is switched off by
setting its output to 0 before the output matrix mixes the outputs of all heads.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tutor.lm.inspect.hooks import Replacement, block_of, replaced
from tutor.lm.network import Transformer


class InputMask(nn.Module):
    """A wrapper around a linear layer that switches off some of its inputs.

    The input [..., inputs] is multiplied by `kept` [inputs], which is 0 for inputs that are
    switched off and 1 for the others. The inputs of an attention layer's output matrix are the
    outputs of its heads.
    """

    def __init__(self, matrix: nn.Module, kept: Tensor) -> None:
        super().__init__()
        self.matrix, self.kept = matrix, kept

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.matrix(x * self.kept.to(x.device))
        return output


class NoOutput(nn.Module):
    """A replacement for a feed-forward network that adds only zeros to the residual stream."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


class UnmaskedAttention(nn.Module):
    """Attention without a mask: each position also attends to later positions."""

    def __init__(self, attention: nn.Module) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, x: Tensor, rotation: Tensor, mask: Tensor | None, *rest: Any) -> Tensor:
        answer: Tensor = self.attention(x, rotation, None, *rest)
        return answer


@contextmanager
def switched_off(
    network: Transformer,
    heads: Collection[tuple[int, int]] = (),
    feed_forwards: Collection[int] = (),
) -> Iterator[None]:
    """Switch off attention heads and feed-forward networks in the `with` block.

    `heads` are pairs (layer, head), and `feed_forwards` are the indices of layers. To switch off
    a block's attention completely, list all its heads.
    """
    config = network.config
    changes: list[Replacement] = []
    for layer in sorted({layer for layer, _ in heads}):
        kept = torch.ones(config.heads, config.head_size)
        kept[[head for where, head in heads if where == layer]] = 0
        attention = block_of(network, layer).attention
        changes.append((attention, "output", InputMask(attention.output, kept.flatten())))
    for layer in sorted(set(feed_forwards)):
        changes.append((block_of(network, layer), "feed_forward", NoOutput()))
    with replaced(changes):
        yield


@contextmanager
def unmasked(network: Transformer) -> Iterator[None]:
    """Remove the network's causal mask in the `with` block."""
    blocks = [block_of(network, layer) for layer in range(network.config.layers)]
    with replaced([(block, "attention", UnmaskedAttention(block.attention)) for block in blocks]):
        yield


def repeated_tokens(vocabulary: Sequence[int], length: int, seed: int) -> list[int]:
    """Return `length` different random tokens from `vocabulary`, followed by the same tokens again.

    A model can predict the second half only by copying from the first half.
    """
    once = random.Random(seed).sample(vocabulary, length)
    return [*once, *once]


@torch.inference_mode()
def next_token_surprisals(
    network: Transformer, stream: Tensor, ids: Sequence[int], first: int = 1
) -> Tensor:
    """Return the surprisal in bits of each token from index `first` (at least 1): [T - first].

    `stream` [T, width] is the residual stream after the last block.
    """
    known = torch.tensor(ids[first:])[:, None]
    log_probabilities = network.lens(stream[first - 1 : -1]).cpu().log_softmax(dim=-1)
    return -log_probabilities.gather(-1, known)[:, 0] / math.log(2)
