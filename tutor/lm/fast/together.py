"""Process the next tokens of several texts in one pass.

To generate one token, the network reads each of its weights once, and this takes most of the time.
If several learners need a token at the same time, the weights can be read once for all of them: the
vectors of the different texts are stacked as rows of one matrix. Only attention is computed
separately, because the queries of each text need the keys and values in that text's own cache.
Short texts that are processed from the beginning share a pass in the same way.

Each text gets the same result as in a separate pass: exactly with the 4-bit kernel, which computes
each row separately, and up to rounding with the other kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from tutor.lm.fast.attention import QueriesKeysValues, fused_attend, prepare
from tutor.lm.fast.linear import HalfLinear
from tutor.lm.fast.network import FastBlock
from tutor.lm.network import (
    Attention,
    Block,
    KeyValueCache,
    LayerCache,
    Transformer,
    rotations_by_layer,
)

FEW = 4
"""The maximum number of texts that share a pass if each of them needs one token.

The 4-bit kernel reads the weights once for up to four vectors. Four vectors take 1.4 times as long
as one vector, and eight vectors 2.8 times as long (AVX2, the matrices of SmolLM2-135M).
"""


def pays(network: Transformer) -> bool:
    """Return True if one shared pass over a token of each text is faster than a pass per text.

    A shared pass is slower with 16-bit weights on a CPU, because they are converted to 32 bits
    whenever several vectors are multiplied.
    """
    halves = [part for part in network.blocks.modules() if isinstance(part, HalfLinear)]
    return not any(half.weight.is_cpu for half in halves)


@torch.inference_mode()
def read_together(
    network: Transformer, ids: Sequence[Sequence[int]], caches: Sequence[KeyValueCache]
) -> tuple[Tensor, ...]:
    """Process the next tokens of each text, and return their final hidden states: [T, width] each.

    `ids` contains the new token ids of each text. Their keys and values are added to its cache.
    """
    config = network.config
    counts = [len(each) for each in ids]
    positions = [
        cache.length + i for cache, count in zip(caches, counts, strict=True) for i in range(count)
    ]
    x = network.embed(torch.tensor([id_ for each in ids for id_ in each]), positions)
    rotation = rotations_by_layer(config, positions, x.device)
    masks_by_text = [
        network.masks(count, cache.length + count, x.device)
        for cache, count in zip(caches, counts, strict=True)
    ]
    caches_by_text = [cache.layers(count) for cache, count in zip(caches, counts, strict=True)]
    rows = (config.heads + 2 * config.key_value_heads) * config.head_size
    room = QueriesKeysValues.of(config, x.new_empty(len(x), rows))  # shared by all blocks
    by_layer = zip(
        network.blocks,
        rotation,
        zip(*masks_by_text, strict=True),
        zip(*caches_by_text, strict=True),
        strict=True,
    )
    for module, turn, masks, caches_of_layer in by_layer:
        block = cast("Block", module)  # type checkers only know that it is a Module
        one_each = len(x) == len(caches)
        step = block.usable_step() if one_each and isinstance(block, FastBlock) else None
        if step is not None and turn is not None:
            x = step(x, turn, masks, caches_of_layer)
            continue
        normalized = block.attention_norm(x)
        attended = x + _attention(block.attention, normalized, room, turn, masks, caches_of_layer)
        fed = block.feed_forward(block.feed_forward_norm(x if block.parallel else attended))
        x = attended + fed
    for cache, count in zip(caches, counts, strict=True):
        cache.length += count
    final: Tensor = network.norm(x)
    return final.split(counts)


def _attention(
    attention: Attention,
    x: Tensor,
    qkv: QueriesKeysValues,
    rotation: Tensor | None,
    masks: Sequence[Tensor | None],
    caches: Sequence[LayerCache],
) -> Tensor:
    """Return the output of the attention layer for x [total, width], the tokens of all texts.

    Each weight matrix is used once, for all texts together; attention is computed separately for
    each text. `qkv` is overwritten. `rotation` contains the rotation for each token's position.
    """
    qkv.product.copy_(attention.query_key_value(x))
    prepare(attention, qkv, rotation)
    counts = [cache.new.shape[-2] for cache in caches]
    queries, keys_values = qkv.queries.split(counts, dim=2), qkv.keys_values.split(counts, dim=2)
    answers = []
    for query, new, cache, mask in zip(queries, keys_values, caches, masks, strict=True):
        cache.new.copy_(new)
        answers.append(fused_attend(query, cache.keys, cache.values, mask, attention.score_cap))
    return attention.combine(torch.cat(answers, dim=1)[0])
