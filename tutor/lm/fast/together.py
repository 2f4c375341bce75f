"""Several texts, the next token of each, in one pass.

Producing one token reads every weight of the network once, and reading them is most of the work.
Where several people want a token at the same time, the weights can be read once for all of them:
vectors of different texts go through the same matrices side by side, as rows. Only attention is
each text's own: its query meets the keys and values of its own cache and no others.

Every row is what it would have been alone: to the last bit with the kernel for 4 bits, which adds
up each row by itself, and up to rounding with the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from tutor.lm.fast.attention import QueriesKeysValues, fused_attend
from tutor.lm.fast.linear import HalfLinear
from tutor.lm.network import (
    Attention,
    Block,
    KeyValueCache,
    LayerCache,
    Transformer,
    rotations,
)

FEW = 4
"""Texts. The kernel for 4 bits multiplies four vectors with one reading of the weights, in 1.4
times the time of one, and eight in 2.8 times (AVX2, the matrices of SmolLM2-135M)."""


def pays(network: Transformer) -> bool:
    """Whether a pass for several texts costs less than one for each: not with weights of 16 bits on
    a CPU, which become 32-bit first where several vectors are multiplied."""
    halves = [part for part in network.blocks.modules() if isinstance(part, HalfLinear)]
    return not any(half.weight.is_cpu for half in halves)


@torch.inference_mode()
def read_together(
    network: Transformer, ids: Sequence[int], caches: Sequence[KeyValueCache]
) -> Tensor:
    """Read one more token of each text, `ids` [B], each after what its own cache holds; they are
    added to the caches. Returns the final vectors [B, width]."""
    config = network.config
    x: Tensor = network.embedding(torch.tensor(ids))  # [B, width]
    rotation = torch.cat([rotations(config, c.length, c.length + 1) for c in caches]).to(x.device)
    by_text = [cache.layers(1) for cache in caches]
    rows = (config.heads + 2 * config.key_value_heads) * config.head_size
    room = QueriesKeysValues.of(config, x.new_empty(len(caches), rows))  # the same for every block
    for module, layer_caches in zip(network.blocks, zip(*by_text, strict=True), strict=True):
        block = cast("Block", module)  # PyTorch only knows that a list of modules holds modules
        x = x + _attention(block.attention, block.attention_norm(x), rotation, room, layer_caches)
        x = x + block.feed_forward(block.feed_forward_norm(x))
    for cache in caches:
        cache.length += 1
    final: Tensor = network.norm(x)
    return final


def _attention(
    attention: Attention,
    x: Tensor,
    rotation: Tensor,
    qkv: QueriesKeysValues,
    caches: Sequence[LayerCache],
) -> Tensor:
    """Return what attention adds to x [B, width]: one product with each matrix, and between them
    every text for itself. In `qkv`, which is overwritten, the texts are where the tokens of one
    text would be, each rotated by its own position."""
    qkv.product.copy_(attention.query_key_value(x))
    qkv.pairs.mul_(rotation)
    answers = []
    for text, cache in enumerate(caches):
        cache.new.copy_(qkv.keys_values[:, :, text : text + 1])
        query = qkv.queries[:, :, text : text + 1]
        answers.append(fused_attend(query, cache.keys, cache.values, None))
    answer = torch.cat(answers, dim=2)  # [1, heads, B, head_size]
    output: Tensor = attention.output(answer.transpose(1, 2).reshape(len(x), -1))
    return output
