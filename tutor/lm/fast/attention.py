"""Fast attention: the same results as `tutor.lm.network.Attention` with fewer operations.

Queries, keys and values stay in the output of their matrix product and are accessed through views
of that memory. One in-place multiplication rotates queries and keys together, and PyTorch's fused
kernel computes the output without storing the attention weights (Dao et al. 2022). If a `Trace`
records the weights, they are computed separately.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutor.lm.fast.module import FastModule
from tutor.lm.network import Attention, Config, LayerCache, Trace, attend, attention_weights


class QueriesKeysValues(NamedTuple):
    """The queries, keys and values of the tokens being processed, in shared memory.

    All attributes are views of the same tensor.

    `product` [..., T, (heads + 2 * key_value_heads) * head_size] is the result of the matrix
    product: the queries, then the keys, then the values of each token. `pairs` [batch, heads +
    key_value_heads, T, rotated / 2] are the queries and keys, in which every rotated pair of
    numbers is one complex number. `queries` are [batch, heads, T, head_size]. `keys_values` [batch,
    2 key_value_heads, T, head_size] are the keys, then the values. A single text is a batch of one.
    """

    product: Tensor
    pairs: Tensor
    queries: Tensor
    keys_values: Tensor

    @staticmethod
    def of(sizes: Attention | Config, product: Tensor) -> QueriesKeysValues:
        """Create the views of `product`, a tensor of 32-bit floats."""
        heads, shared = sizes.heads, sizes.key_value_heads
        by_token = product.view(-1, product.shape[-2], heads + 2 * shared, sizes.head_size)
        by_head = by_token.transpose(1, 2)
        rotated = by_head[:, : heads + shared, :, : sizes.rotated]
        pairs = torch.view_as_complex(rotated.unflatten(-1, (-1, 2)))
        return QueriesKeysValues(product, pairs, by_head[:, :heads], by_head[:, heads:])


def prepare(attention: Attention, qkv: QueriesKeysValues, rotation: Tensor | None) -> None:
    """Add the bias, normalize queries and keys, and rotate them, in place.

    A Llama network only needs the rotation.
    """
    if attention.query_key_value_bias is not None:
        qkv.product.add_(attention.query_key_value_bias.weight)
    if attention.query_norm is not None and attention.key_norm is not None:
        keys = qkv.keys_values[:, : attention.key_value_heads]
        qkv.queries.copy_(attention.normalized(attention.query_norm, qkv.queries))
        keys.copy_(attention.normalized(attention.key_norm, keys))
    if rotation is not None:
        qkv.pairs.mul_(rotation)


def fused_attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, cap: float | None = None
) -> Tensor:
    """Compute attention with PyTorch's fused kernel: [batch, T, heads * head_size].

    `tutor.lm.network.attend` computes the same result, and is used if the scores have a cap, which
    the kernel doesn't support. For a single token, the queries that share keys and values are
    passed to the kernel as several queries of one head, so it reads these keys and values only
    once.
    """
    batch, heads, tokens, size = q.shape
    shared = k.shape[1]
    if cap is not None:
        answers = attend(q, k, v, mask, cap)[0]
    elif tokens == 1:
        together = q.reshape(batch, shared, -1, size)
        answers = F.scaled_dot_product_attention(together, k, v, attn_mask=mask)
        return answers.reshape(batch, 1, -1)
    else:
        grouped = heads != shared
        answers = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=grouped)
    return answers.transpose(1, 2).reshape(batch, tokens, -1)


class FusedAttention(FastModule, Attention):
    """An attention layer that computes its output with PyTorch's fused kernel.

    It shares its weights with the `Attention` module that it replaces, and can be trained.
    """

    def __init__(self, attention: Attention) -> None:
        nn.Module.__init__(self)
        vars(self).update(vars(attention))
        self._one_token: QueriesKeysValues | None = None

    def forward(
        self,
        x: Tensor,
        rotation: Tensor | None,
        mask: Tensor | None = None,
        cache: LayerCache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        """Return what attention adds to the residual stream, as `Attention.forward` does."""
        product = self.query_key_value(x)
        if cache is None:
            qkv = QueriesKeysValues.of(self, product.float())
            prepare(self, qkv, rotation)
            keys, values = qkv.keys_values.chunk(2, dim=1)
        else:
            qkv = self._with_views(product)
            prepare(self, qkv, rotation)
            cache.new.copy_(qkv.keys_values)
            keys, values = cache.keys, cache.values
        if trace is not None:
            weights = attention_weights(qkv.queries, keys, mask, self.score_cap)
            trace.attention.append(weights.view(*x.shape[:-2], *weights.shape[1:]))
        answers = fused_attend(qkv.queries, keys, values, mask, self.score_cap)
        return self.combine(answers.view(*x.shape[:-1], -1))

    def _with_views(self, product: Tensor) -> QueriesKeysValues:
        """Return views of the queries, keys and values in `product` [T, ...].

        For a single token, the usual case in generation, the product is copied to a buffer whose
        views already exist.
        """
        if product.shape[-2] != 1:
            return QueriesKeysValues.of(self, product.float())
        if self._one_token is None:
            with torch.inference_mode(False):  # training can then write to the buffer
                room = torch.empty_like(product, dtype=torch.float32)
                self._one_token = QueriesKeysValues.of(self, room)
        self._one_token.product.copy_(product)
        return self._one_token


def fuse_attention(network: nn.Module) -> None:
    """Replace plain attention with fused attention that has the same weights.

    This makes training faster. The names of the weights don't change.
    """
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) is Attention:
                setattr(module, name, FusedAttention(child))
