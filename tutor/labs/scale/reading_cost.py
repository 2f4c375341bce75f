"""Computes the surprisal of a text, in a form that is comparable between tokenizers.

The surprisal of a token is -log2 of its probability. Two quantities are comparable between networks
with different tokens: the sum of the surprisals over a text, and that sum divided by the number of
bytes in the text (bits per byte). Perplexity, 2 to the power of the mean bits per token, is not
comparable, because a token can be a letter in one network and a word in another.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tutor.lm.network import Transformer

AT_ONCE = 64
"""The maximum number of tokens whose logits are in memory at once."""


@torch.inference_mode()
def bits_of(network: Transformer, ids: Tensor, context: int) -> Tensor:
    """Return the surprisals in bits [T - 1] of all tokens of `ids` [T] except the first.

    At most `context` tokens are processed at a time. A longer text is split into windows that
    overlap by half, so each token after the first window has at least half a window before it.
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
    """Return the surprisals in bits [T] of the tokens `came` [T], predicted from `final`.

    `final` [T, width] are the hidden states before the output layer. They are processed in small
    batches, because each needs a logit for every token of the vocabulary.
    """
    costs = [
        -network.logits(vectors).float().cpu().log_softmax(-1).gather(-1, ids[:, None])[:, 0]
        for vectors, ids in zip(final.split(AT_ONCE), came.split(AT_ONCE), strict=True)
    ]
    return torch.cat(costs) / math.log(2)


@torch.inference_mode()
def next_probabilities(network: Transformer, ids: Tensor, context: int) -> Tensor:
    """Return the probabilities [vocabulary] of the token after `ids` [T]."""
    final = network(ids[-context:])[-1]
    return network.logits(final).float().cpu().softmax(-1)


def entropy_bits(probabilities: Tensor) -> float:
    """Return the entropy in bits, which is the expected surprisal: -sum p log2 p."""
    return float(torch.special.entr(probabilities.double()).sum() / math.log(2))
