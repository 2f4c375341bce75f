"""The small model's forward pass, written out with only the network's matrices and rotations.

Tests of the mask and of switched-off parts compare with it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from tests.labs.lab_backend import small_model
from tutor.lm.network import Block, rotations


def by_formula(
    ids: Sequence[int],
    *,
    hide: bool = True,
    heads_off: Collection[tuple[int, int]] = (),
    feed_forwards_off: Collection[int] = (),
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the logits, the attention of all heads, and the residual streams.

    Their shapes are [T, vocabulary], [layers, heads, T, T] and [layers + 1, T, width].
    """
    network = small_model().network
    config, count = network.config, len(ids)
    allowed = torch.ones(count, count).bool()
    if hide:
        allowed = allowed.tril()
    turns = rotations(config, 0, count)  # [T, size / 2]
    stream, seen = network.embedding(torch.tensor(ids)), []
    streams = [stream]
    for layer, block in enumerate(network.blocks):
        assert isinstance(block, Block)
        mixed = block.attention.query_key_value(block.attention_norm(stream))
        parts = mixed.view(count, -1, config.head_size).transpose(0, 1)  # [q, k, v heads, T, size]
        turned = [
            torch.view_as_real(torch.view_as_complex(part.unflatten(-1, (-1, 2))) * turns).flatten(
                1
            )
            for part in parts[: config.heads + config.key_value_heads]
        ]
        answers = []
        for head in range(config.heads):
            shared = config.heads + head // (config.heads // config.key_value_heads)
            scores = turned[head] @ turned[shared].T / math.sqrt(config.head_size)
            weights = scores.masked_fill(~allowed, -math.inf).softmax(-1)
            seen.append(weights)
            answer = weights @ parts[shared + config.key_value_heads]
            answers.append(0 * answer if (layer, head) in heads_off else answer)
        stream = stream + block.attention.output(torch.cat(answers, -1))
        if layer not in feed_forwards_off:
            stream = stream + block.feed_forward(block.feed_forward_norm(stream))
        streams.append(stream)
    attention = torch.stack(seen).unflatten(0, (config.layers, config.heads))
    return network.head(network.norm(stream)), attention, torch.stack(streams)
