"""A network with something switched off, or its mask taken away.

Every block only adds to the residual stream, so a part that adds nothing leaves a working network
behind: what changes then is what that part was good for ("ablation"; with heads, Michel et al.
2019). A head is switched off by setting its answer to 0 before the matrix that mixes the heads.
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


class HeadMask(nn.Module):
    """The matrix that mixes the answers of the heads [..., heads head_size], with the answers of
    some heads set to 0: those where `kept` is 0."""

    def __init__(self, output: nn.Module, kept: Tensor) -> None:
        super().__init__()
        self.output, self.kept = output, kept

    def forward(self, answers: Tensor) -> Tensor:
        mixed: Tensor = self.output(answers * self.kept.to(answers.device))
        return mixed


class NoOutput(nn.Module):
    """A feed-forward network that adds nothing to the residual stream."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


class UnmaskedAttention(nn.Module):
    """Attention without its mask: each position looks at those after it too."""

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
    """The network without these heads, each as (layer, head), and without the feed-forward networks
    of these layers. A block's attention is off when all its heads are."""
    config = network.config
    changes: list[Replacement] = []
    for layer in sorted({layer for layer, _ in heads}):
        kept = torch.ones(config.heads, config.head_size)
        kept[[head for where, head in heads if where == layer]] = 0
        attention = block_of(network, layer).attention
        changes.append((attention, "output", HeadMask(attention.output, kept.flatten())))
    for layer in sorted(set(feed_forwards)):
        changes.append((block_of(network, layer), "feed_forward", NoOutput()))
    with replaced(changes):
        yield


@contextmanager
def unmasked(network: Transformer) -> Iterator[None]:
    """The network without its causal mask."""
    blocks = [block_of(network, layer) for layer in range(network.config.layers)]
    with replaced([(block, "attention", UnmaskedAttention(block.attention)) for block in blocks]):
        yield


def twice(vocabulary: Sequence[int], length: int, seed: int) -> list[int]:
    """`length` tokens drawn from `vocabulary`, each once, and then the same again: nothing tells
    what comes next but that it has come before."""
    once = random.Random(seed).sample(vocabulary, length)
    return [*once, *once]


@torch.inference_mode()
def bits_of_next(
    network: Transformer, stream: Tensor, ids: Sequence[int], first: int = 1
) -> Tensor:
    """How surprising each token from `first` (at least 1) to the end was, -log2 p, in bits:
    [T - first]. `stream` [T, width] is what the last block made of the text."""
    known = torch.tensor(ids[first:])[:, None]
    log_probabilities = network.lens(stream[first - 1 : -1]).cpu().log_softmax(dim=-1)
    return -log_probabilities.gather(-1, known)[:, 0] / math.log(2)
