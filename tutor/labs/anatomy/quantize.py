"""A network's blocks rounded to fewer bits, and what that does to the weights and to the answers.

To round to b bits, 32 neighbors of a row share a step and an offset: the steps are spread evenly
from the smallest of them to the largest, and each weight becomes the nearest of 2^b values,

    W = offset + step * q,    q = round((W - offset) / step),    2^b values of q

(8 bits as in GGUF's Q8_0: around 0, without an offset). The product then runs on the same kernels
as everywhere (`tutor.lm.fast.linear`); 3 and 2 bits use the one for 4 bits, with fewer of its
values. The tables of the vocabulary stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from tutor.labs.anatomy.tensors import matrix_of
from tutor.lm.fast import linear
from tutor.lm.fast.linear import GROUP, FloatLinear, FrozenLinear, Groups, HalfLinear
from tutor.lm.inspect.hooks import Replacement, block_of, replaced
from tutor.lm.network import Transformer, causal_mask, rotations


def rounded(weights: Tensor, bits: int) -> Groups:
    """`weights` [N, K] as integers of `bits` bits. K must be a multiple of 32."""
    outputs, inputs = weights.shape
    grouped = weights.view(outputs, inputs // GROUP, GROUP)
    if bits == 8:
        scales = (grouped.abs().amax(dim=-1) / 127).clamp_min(1e-12)
        offsets = torch.zeros_like(scales)
        lowest, highest = -127, 127
    else:
        offsets, top = grouped.amin(dim=-1), grouped.amax(dim=-1)
        scales = ((top - offsets) / (2**bits - 1)).clamp_min(1e-12)
        # in the middle of the kernel's 16 values, where its rounding of offsets does least
        lowest = 8 - 2 ** (bits - 1)
        highest = lowest + 2**bits - 1
        offsets = offsets - lowest * scales
    quants = ((grouped - offsets[..., None]) / scales[..., None]).round().clamp(lowest, highest)
    return Groups(8 if bits == 8 else 4, quants.flatten(1).to(torch.int16), scales, offsets)


def at_precision(weights: Tensor, bits: int) -> tuple[FrozenLinear, Tensor] | None:
    """The layer that multiplies `weights` [N, K] at so many bits, and the weights it stands for.
    None where this machine has no kernel for it, or the sizes do not fit."""
    if bits == 32:
        return FloatLinear(weights), weights
    if bits == 16:
        half = linear.halves(weights)
        return (HalfLinear if half.dtype == torch.float16 else FloatLinear)(half), half.float()
    if weights.shape[0] % GROUP or weights.shape[1] % GROUP:
        return None
    groups = rounded(weights, bits)
    if not weights.is_cpu:  # the kernels for few bits are for CPUs: elsewhere what they stand for
        return FloatLinear(linear.dequantized(groups)), linear.dequantized(groups)
    kind = linear.Int8Linear if bits == 8 else linear.Int4Linear
    try:
        layer = linear.from_tensors(kind.pack(groups))
        layer(torch.zeros(1, weights.shape[1]))
    except (RuntimeError, AttributeError):  # how PyTorch says that a kernel is not there
        return None
    return layer, linear.dequantized(groups)


def _parts(network: Transformer, layer: int) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    block = block_of(network, layer)
    yield block.attention, "query_key_value", block.attention.query_key_value
    yield block.attention, "output", block.attention.output
    yield block.feed_forward, "gate_up", block.feed_forward.gate_up
    yield block.feed_forward, "down", block.feed_forward.down


@torch.inference_mode()
def through_block(
    network: Transformer, layer: int, bits: int, stream: Tensor
) -> tuple[Tensor, list[float]] | None:
    """The residual stream [T, width] after a block whose matrices have so many bits, and how far
    each of the four (in that order) is off: |W' - W| / |W|. None where this machine cannot."""
    replacements: list[Replacement] = []
    errors = []
    for where, name, module in _parts(network, layer):
        weights = matrix_of(module)
        made = at_precision(weights, bits)
        if made is None:
            return None
        kept, stands_for = made
        errors.append(float(((stands_for - weights).norm() / weights.norm()).cpu()))
        replacements.append((where, name, kept))
    tokens, device = len(stream), weights.device
    rotation = rotations(network.config, 0, tokens).to(device)
    with replaced(replacements):
        block = block_of(network, layer)
        after: Tensor = block(stream.to(device), rotation, causal_mask(tokens, tokens, device))
    return after.cpu(), errors


@torch.inference_mode()
def answers(network: Transformer, stream: Tensor) -> Tensor:
    """log p of every token that could come next, at each place: [T, vocabulary]. `stream`
    [T, width] is that after the last block."""
    device = network.embedding(torch.tensor([0])).device
    return network.lens(stream.to(device)).cpu().log_softmax(dim=-1)


def compare(ids: Sequence[int], before: Tensor, after: Tensor) -> tuple[float, float, float]:
    """What became of the `answers`: the mean Kullback-Leibler divergence from those before in
    bits, the share of places with the same first choice, and the bits a known token costs."""
    divergence = (before.exp() * (before - after)).sum(dim=-1).mean() / math.log(2)
    same = (before.argmax(dim=-1) == after.argmax(dim=-1)).float().mean()
    known = torch.tensor(ids)[1:, None]
    bits = -after[:-1].gather(-1, known).mean() / math.log(2)
    return float(divergence), float(same), float(bits)
