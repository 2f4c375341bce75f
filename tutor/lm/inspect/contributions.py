"""Measure how much each attention layer, feed-forward network or head adds to a token's logit.

The residual stream after the last block is a sum:

    x = embedding + attention of block 1 + feed-forward of block 1 + attention of block 2 + ...

The final norm divides it by one number, its root mean square r, and multiplies it by a learned
weight w; the output layer then takes the dot product with u, the token's row of the output matrix.
For a given r, both operations are linear, so the logit is also a sum, with one term for each part:

    logit = sum over parts of  (part * w / r) . u

Each term is the part's direct contribution ("direct logit attribution", Elhage et al. 2021). A part
also has indirect effects, because later parts use its output. The direct contribution does not
include them.

Families other than Llama have a few more terms and factors. A LayerNorm first subtracts the mean,
which is linear too. The learned vectors of the output matrices and of a final LayerNorm are
separate terms. If a block normalizes the output of its attention, the outputs of all its heads are
divided by the same number. If the logits are capped (Gemma 2), the sum is the logit before the cap.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from tutor.lm.fast.linear import Table
from tutor.lm.inspect.hooks import (
    AddedOutput,
    InputRecorder,
    OutputRecorder,
    Replacement,
    block_of,
    replaced,
)
from tutor.lm.network import Transformer

_ROUNDING = 2**-7
"""The largest relative difference between a vector and the sum of its parts that is attributed to
rounding."""
_TINY = 1e-30


class Parts:
    """The outputs of the parts of a network in one forward pass, with one tensor per block.

    `attention` and `feed_forward` contain the vectors that these parts add to the residual stream,
    [T, width]. `heads` contains the concatenated outputs of a block's heads [T, heads * head_size],
    before the output matrix mixes them. `added` contains each vector [width] that is added to the
    residual stream although no part computes it (see `tutor.lm.inspect.steering`).
    """

    def __init__(self) -> None:
        self.attention: list[Tensor] = []
        self.feed_forward: list[Tensor] = []
        self.heads: list[Tensor] = []
        self.added: list[Tensor] = []


@contextmanager
def recorded(network: Transformer, parts: Parts) -> Iterator[None]:
    """Record each network block's outputs in `parts` while the `with` block runs."""
    changes: list[Replacement] = []
    for layer in range(network.config.layers):
        block = block_of(network, layer)
        attention = block.attention
        changes += [
            (attention, "output", InputRecorder(attention.output, parts.heads)),
            (block, "attention", OutputRecorder(attention, parts.attention)),
        ]
        parent: nn.Module = block
        name, module = "feed_forward", cast("nn.Module", block.feed_forward)
        while isinstance(module, AddedOutput):
            parts.added.append(module.vector)
            parent, name, module = module, "module", module.module
        changes.append((parent, name, OutputRecorder(module, parts.feed_forward)))
    with replaced(changes):
        yield


@torch.inference_mode()
def of_heads(network: Transformer, layer: int, heads: Tensor) -> Tensor:
    """Return what each head of a block adds to the residual stream: [heads, width].

    `heads` [heads * head_size] are the concatenated outputs of the heads at one position.
    """
    return _through_output_norm(network, layer, _of_each_head(network, layer, heads), heads)


@torch.inference_mode()
def of_sources(
    network: Transformer, layer: int, head: int, weights: Tensor, values: Tensor, heads: Tensor
) -> Tensor:
    """Return what a head adds to the residual stream, split by the positions it attends to.

    `weights` [length] is the head's attention to each position, and `values` [length, head_size]
    are the value vectors of these positions. A head's output is the sum of weight * value, and the
    output matrix is linear, so it can be applied to each term. `heads` [heads * head_size] are the
    concatenated outputs of all heads. The result is [length, width].
    """
    size = network.config.head_size
    alone = torch.zeros(len(weights), network.config.heads * size, device=values.device)
    alone[:, head * size : (head + 1) * size] = weights[:, None] * values
    terms = block_of(network, layer).attention.output(alone).float()
    terms = _adding_up_to(_of_each_head(network, layer, heads)[head], terms)
    return _through_output_norm(network, layer, terms, heads)


def _of_each_head(network: Transformer, layer: int, heads: Tensor) -> Tensor:
    """Return the product of each head's output with its part of the output matrix: [heads, width].

    The output matrix is linear, so it can be applied to one head's output at a time, with zeros in
    place of the other heads' outputs.
    """
    output = block_of(network, layer).attention.output
    count, size = network.config.heads, network.config.head_size
    alone = torch.eye(count, device=heads.device).repeat_interleave(size, dim=-1) * heads
    return _adding_up_to(output(heads[None])[0].float(), output(alone).float())


def _adding_up_to(whole: Tensor, parts: Tensor) -> Tensor:
    """Correct the rounding of parts [N, width], so that they add up to `whole` [width].

    The 4-bit kernel rounds each of its results to bfloat16, so the results for the parts don't add
    up exactly to the result for their sum. Over all layers, the discrepancy would shift a logit by
    about 0.01. It is divided among the parts in proportion to their absolute values, because the
    rounding error of a number is proportional to the number. A discrepancy that is too large to be
    due to rounding is not corrected.
    """
    sizes = parts.abs()
    relative = (whole - parts.sum(dim=0)) / sizes.sum(dim=0).clamp_min(_TINY)
    return parts + sizes * relative.clamp(-_ROUNDING, _ROUNDING)


def _through_output_norm(network: Transformer, layer: int, parts: Tensor, heads: Tensor) -> Tensor:
    """Return what parts [N, width] of attention's output add to the residual stream: [N, width].

    In some families, a norm follows the output matrix. It divides all parts by the same number,
    which depends on `heads` [heads * head_size], the outputs of all heads.
    """
    attention = block_of(network, layer).attention
    if attention.output_norm is None:
        return parts
    whole = attention.output(heads[None])[0].float()
    if attention.output_bias is not None:
        whole = attention.output_bias(whole)
    return through_norm(network, attention.output_norm, whole, parts)


@torch.inference_mode()
def of_bias(network: Transformer, layer: int, heads: Tensor) -> Tensor | None:
    """Return what the bias of a block's attention adds to the residual stream: [width].

    If attention has no bias, the result is None.
    `heads` [heads * head_size] are the concatenated outputs of the heads.
    """
    attention = block_of(network, layer).attention
    if attention.output_bias is None:
        return None
    bias = attention.output_bias.weight
    if attention.output_norm is None:
        return bias
    whole = attention.output_bias(attention.output(heads[None])[0].float())
    return through_norm(network, attention.output_norm, whole, bias[None])[0]


@torch.inference_mode()
def through_norm(network: Transformer, norm: nn.Module, whole: Tensor, parts: Tensor) -> Tensor:
    """Split norm(whole) [width] into one term for each of the `parts` [N, width]: [N, width].

    If `whole` is the sum of the parts, the terms add up to norm(whole), without the learned vector
    that a LayerNorm adds.
    """
    epsilon = network.config.norm_epsilon
    if isinstance(norm, nn.LayerNorm):
        centered = parts - parts.mean(dim=-1, keepdim=True)
        return centered * norm.weight * (whole.var(correction=0) + epsilon).rsqrt()
    # The root mean square of a vector of ones is 1, so normalizing it returns the learned weight.
    weight = norm(torch.ones_like(whole))
    return parts * weight * (whole.square().mean() + epsilon).rsqrt()


@torch.inference_mode()
def of_final_bias(network: Transformer, token: int) -> float:
    """Return what the learned vector of a final LayerNorm adds to a token's logit."""
    if not isinstance(network.norm, nn.LayerNorm):
        return 0.0
    return float(_logits(network, network.norm.bias[None], token))


@torch.inference_mode()
def to_logit(network: Transformer, stream: Tensor, parts: Tensor, token: int) -> Tensor:
    """Return the direct contribution of each part to a token's logit: [N].

    `stream` [width] is the residual stream after the last block, and `parts` [N, width] are vectors
    that were added to it. If they include all vectors, the contributions add up to the logit.
    """
    return _logits(network, through_norm(network, network.norm, stream, parts), token)


@torch.inference_mode()
def whole_logit(network: Transformer, stream: Tensor, token: int) -> float:
    """Return a token's logit, with the same arithmetic as the contributions that add up to it.

    `stream` [width] is the residual stream after the last block. The output layer of a fast network
    rounds more, so the logit that `Transformer.logits` returns can differ by about 0.01. If a model
    caps its logits, the result is the logit before the cap.
    """
    return float(_logits(network, network.norm(stream)[None].float(), token))


def _logits(network: Transformer, vectors: Tensor, token: int) -> Tensor:
    """Return the products of vectors [N, width] with a token's row of the output layer: [N]."""
    head = network.head
    if isinstance(head, Table):
        row = head.rows(torch.tensor(token))  # [width]
    elif isinstance(head, nn.Linear):
        row = head.weight[token]
    else:  # the format has no access to single rows
        return head(vectors)[:, token].float().cpu()
    return (vectors @ row).float().cpu()
