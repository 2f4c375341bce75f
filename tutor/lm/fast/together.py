"""Process the next token of several texts in one pass.

To generate one token, the network reads each of its weights once, and this takes most of the time.
If several learners need a token at the same time, the weights can be read once for all of them: the
vectors of the different texts are stacked as rows of one matrix. Only attention is computed
separately, because the query of each text needs the keys and values in that text's own cache.

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
"""The maximum number of texts in one pass.

The 4-bit kernel reads the weights once for up to four vectors. Four vectors take 1.4 times as long
as one vector, and eight vectors 2.8 times as long (AVX2, the matrices of SmolLM2-135M).
"""


def pays(network: Transformer) -> bool:
    """Return True if one pass for several texts is faster than one pass per text.

    A shared pass is slower with 16-bit weights on a CPU, because they are converted to 32 bits
    whenever several vectors are multiplied.
    """
    halves = [part for part in network.blocks.modules() if isinstance(part, HalfLinear)]
    return not any(half.weight.is_cpu for half in halves)


@torch.inference_mode()
def read_together(
    network: Transformer, ids: Sequence[int], caches: Sequence[KeyValueCache]
) -> Tensor:
    """Process the next token of each text, and return the final hidden states [B, width].

    `ids` [B] contains one token id per text. Each token is added to the cache of its text.
    """
    config = network.config
    positions = [cache.length for cache in caches]
    x = network.embed(torch.tensor(ids), positions)  # [B, width]
    rotation = rotations_by_layer(config, positions, x.device)
    masks = zip(*(network.masks(1, at + 1, x.device) for at in positions), strict=True)
    by_text = [cache.layers(1) for cache in caches]
    rows = (config.heads + 2 * config.key_value_heads) * config.head_size
    room = QueriesKeysValues.of(config, x.new_empty(len(caches), rows))  # shared by all blocks
    by_layer = zip(network.blocks, rotation, masks, zip(*by_text, strict=True), strict=True)
    for module, turn, mask, caches_of_layer in by_layer:
        block = cast("Block", module)  # type checkers only know that it is a Module
        step = block.usable_step() if isinstance(block, FastBlock) else None
        if step is not None and turn is not None:
            x = step(x, turn, mask, caches_of_layer)
            continue
        normalized = block.attention_norm(x)
        attended = x + _attention(block.attention, normalized, room, turn, mask, caches_of_layer)
        fed = block.feed_forward(block.feed_forward_norm(x if block.parallel else attended))
        x = attended + fed
    for cache in caches:
        cache.length += 1
    final: Tensor = network.norm(x)
    return final


def _attention(
    attention: Attention,
    x: Tensor,
    qkv: QueriesKeysValues,
    rotation: Tensor | None,
    masks: Sequence[Tensor | None],
    caches: Sequence[LayerCache],
) -> Tensor:
    """Return the output of the attention layer for the vectors x [B, width], one per text.

    Each weight matrix is used once, for all texts together; attention is computed separately for
    each text. `qkv` is overwritten. Its token dimension contains one token of each text.
    `rotation` contains the rotation for the token's position in each text.
    """
    qkv.product.copy_(attention.query_key_value(x))
    prepare(attention, qkv, rotation)
    answers = []
    for text, (cache, mask) in enumerate(zip(caches, masks, strict=True)):
        cache.new.copy_(qkv.keys_values[:, :, text : text + 1])
        query = qkv.queries[:, :, text : text + 1]
        answers.append(fused_attend(query, cache.keys, cache.values, mask, attention.score_cap))
    return attention.combine(torch.cat(answers, dim=1)[0])
