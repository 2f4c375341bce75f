"""Measure the effect of weights with fewer bits on the predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from tutor.lm.network import Transformer


@torch.inference_mode()
def answers(network: Transformer, stream: Tensor) -> Tensor:
    """Return the log-probabilities [T, vocabulary] of the next token at each position.

    `stream` [T, width] is the residual stream after the last block.
    """
    device = network.embedding(torch.tensor([0])).device
    return network.lens(stream.to(device)).cpu().log_softmax(dim=-1)


def compare(ids: Sequence[int], before: Tensor, after: Tensor) -> tuple[float, float, float]:
    """Return three numbers that compare the predictions before and after rounding.

    The numbers are the mean Kullback-Leibler divergence in bits, the fraction of positions with the
    same most probable token, and the mean surprisal after rounding in bits (see `Differences`).

    `before` and `after` are the log-probabilities [T, vocabulary] that `answers` returns at full
    and at lower precision. `ids` are the text's token ids.
    """
    divergence = (before.exp() * (before - after)).sum(dim=-1).mean() / math.log(2)
    same = (before.argmax(dim=-1) == after.argmax(dim=-1)).float().mean()
    known = torch.tensor(ids)[1:, None]
    bits = -after[:-1].gather(-1, known).mean() / math.log(2)
    return float(divergence), float(same), float(bits)
