"""What a text costs a network to read, so that networks with different tokens can be compared.

A token costs -log2 of the probability that it got. The sum over a text is the same question to
every network, however it cuts the text; divided by the bytes of the text, it is a figure to compare
(bits per byte). Perplexity, 2 to the bits per token, is not: a token may be a letter or a word.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tutor.lm.network import Transformer

AT_ONCE = 64
"""Tokens whose scores are in memory together."""


@torch.inference_mode()
def bits_of(network: Transformer, ids: Tensor, context: int) -> Tensor:
    """The bits of each token of `ids` [T] but the first: [T - 1]. No more than `context` tokens
    are read at a time; of a longer text, each token has at least half as many before it."""
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
    """The bits of the tokens that came [T], each after the final vector [T, width] before it: [T].
    A few at a time, as each needs a score for every token of the vocabulary."""
    costs = [
        -network.logits(vectors).float().cpu().log_softmax(-1).gather(-1, ids[:, None])[:, 0]
        for vectors, ids in zip(final.split(AT_ONCE), came.split(AT_ONCE), strict=True)
    ]
    return torch.cat(costs) / math.log(2)


@torch.inference_mode()
def next_probabilities(network: Transformer, ids: Tensor, context: int) -> Tensor:
    """What may come after `ids` [T]: probabilities [vocabulary]."""
    final = network(ids[-context:])[-1]
    return network.logits(final).float().cpu().softmax(-1)


def entropy_bits(probabilities: Tensor) -> float:
    """How open the choice is, on average, in bits: -sum p log2 p."""
    return float(torch.special.entr(probabilities.double()).sum() / math.log(2))
