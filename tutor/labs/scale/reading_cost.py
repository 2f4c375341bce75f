"""Compute the surprisal of a text in units that are comparable between tokenizers.

The surprisal of a token is -log2 of its probability. Between networks with different tokenizers,
two quantities can be compared: the sum of the surprisals over a text, and this sum divided by the
length of the text in bytes (bits per byte). Perplexity, 2 to the power of the mean surprisal per
token, can't be compared, because a token can be a letter for one network and a word for another.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tutor.lm.network import Transformer

AT_ONCE = 64
"""The maximum number of positions whose logits are in memory at the same time."""


@torch.inference_mode()
def bits_of(network: Transformer, ids: Tensor, context: int) -> Tensor:
    """Return the surprisal in bits [T - 1] of each token of `ids` [T] except the first.

    The network processes at most `context` tokens at a time. A longer text is split into windows
    that overlap by half. So in every window after the first, each token is predicted from at least
    half a window of text.
    """
    costs = []
    step = max(1, context // 2)
    first = 1
    while first < len(ids):
        begin = max(0, first - step) if first > 1 else 0
        window = ids[begin : begin + context + 1]
        costs.append(costs_of(network, network(window[:-1]), window[1:])[first - begin - 1 :])
        first = begin + len(window)
    return torch.cat(costs) if costs else torch.zeros(0)


@torch.inference_mode()
def costs_of(network: Transformer, final: Tensor, came: Tensor) -> Tensor:
    """Return the surprisal in bits [T] of each token in `came` [T], predicted from `final`.

    `final` [T, width] are the hidden states before the output layer. They are processed in small
    batches, because each of them results in logits for the whole vocabulary.
    """
    costs = [
        -network.logits(vectors).float().cpu().log_softmax(-1).gather(-1, ids[:, None])[:, 0]
        for vectors, ids in zip(final.split(AT_ONCE), came.split(AT_ONCE), strict=True)
    ]
    return torch.cat(costs) / math.log(2)


@torch.inference_mode()
def next_probabilities(network: Transformer, ids: Tensor, context: int) -> Tensor:
    """Return the probabilities [vocabulary] of the token that follows `ids` [T]."""
    final = network(ids[-context:])[-1]
    return network.logits(final).float().cpu().softmax(-1)


def entropy_bits(probabilities: Tensor) -> float:
    """Return the entropy of a distribution in bits, -sum p log2 p. It is the expected surprisal."""
    return float(torch.special.entr(probabilities.double()).sum() / math.log(2))
