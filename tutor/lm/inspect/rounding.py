"""Round the weights of a network's blocks to fewer bits, and measure the effect.

For b bits, each row of a matrix is split into groups of 32 weights, and each group has its own step
and offset. The group's 2^b levels are spaced evenly between its smallest and its largest weight,
and each weight is rounded to the nearest level:

    W' = offset + step * q,    q = round((W - offset) / step),    2^b values of q

At 8 bits, the offset is 0 and the levels are symmetric around 0, as in GGUF's Q8_0. The matrix
multiplications run on the same kernels as in normal use (`tutor.lm.fast.linear`). For 3 and 2 bits,
the 4-bit kernel is used with fewer levels. The embedding and the output layer are not rounded.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tutor.errors import ModelUnsupported
from tutor.language import _
from tutor.lm.fast import linear
from tutor.lm.fast.linear import (
    GROUP,
    FloatLinear,
    FrozenLinear,
    Groups,
    HalfLinear,
    Int4Linear,
    Table,
)
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.hooks import Replacement, block_of, feed_forwards_of, replaced
from tutor.lm.network import Transformer, masks_by_layer, rotations_by_layer


@torch.inference_mode()
def matrix_of(module: nn.Module) -> Tensor:
    """Return a module's weights [outputs, inputs] as 32-bit floats, whatever their stored format.

    If the stored format can't be decoded directly, the module is applied to each standard basis
    vector. The outputs are the columns of the matrix.
    """
    if isinstance(module, Table):
        return module.rows(torch.arange(module.outputs)).float()
    if isinstance(module, Int4Linear) and (matrix := module.matrix()) is not None:
        return matrix
    if isinstance(module, FrozenLinear):
        columns: Tensor = module(torch.eye(module.inputs))
        return columns.t().float()
    assert isinstance(module, nn.Linear)
    return module.weight.float()


def rounded(weights: Tensor, bits: int) -> Groups:
    """Quantize `weights` [N, K] to integers of `bits` bits. K must be a multiple of 32.

    Each group of 32 weights has its own step and offset.
    """
    outputs, inputs = weights.shape
    grouped = weights.view(outputs, inputs // GROUP, GROUP)
    if bits == 8:
        scales = (grouped.abs().amax(dim=-1) / 127).clamp_min(1e-12)
        offsets = torch.zeros_like(scales)
        lowest, highest = -127, 127
    else:
        offsets, top = grouped.amin(dim=-1), grouped.amax(dim=-1)
        scales = ((top - offsets) / (2**bits - 1)).clamp_min(1e-12)
        # Use the middle of the kernel's 16 levels, where the kernel's own rounding of the offsets
        # has the least effect.
        lowest = 8 - 2 ** (bits - 1)
        highest = lowest + 2**bits - 1
        offsets = offsets - lowest * scales
    quants = ((grouped - offsets[..., None]) / scales[..., None]).round().clamp(lowest, highest)
    return Groups(8 if bits == 8 else 4, quants.flatten(1).to(torch.int16), scales, offsets)


def at_precision(weights: Tensor, bits: int) -> tuple[FrozenLinear, Tensor] | None:
    """Return a linear layer with `weights` [N, K] rounded to `bits` bits, and the rounded weights.

    The rounded weights are returned as floats [N, K]. Returns None if this machine has no kernel
    for the precision, or if N or K is not a multiple of the group size.
    """
    if bits == 32:
        return FloatLinear(weights), weights
    if bits == 16:
        half = linear.to_half(weights)
        return (HalfLinear if half.dtype == torch.float16 else FloatLinear)(half), half.float()
    if weights.shape[0] % GROUP or weights.shape[1] % GROUP:
        return None
    groups = rounded(weights, bits)
    if not weights.is_cpu:  # The kernels run only on CPUs. Other devices use floats.
        return FloatLinear(linear.dequantized(groups)), linear.dequantized(groups)
    kind = linear.Int8Linear if bits == 8 else linear.Int4Linear
    try:
        layer = linear.from_tensors(kind.pack(groups))
        layer(torch.zeros(1, weights.shape[1]))
    except (RuntimeError, AttributeError):  # This PyTorch build lacks the kernel.
        return None
    return layer, linear.dequantized(groups)


def _parts(network: Transformer, layer: int) -> list[list[Replacement]]:
    """Return a block's matrices in four groups, by kind, including the matrices of all experts."""
    attention = block_of(network, layer).attention
    networks = feed_forwards_of(network, layer)
    return [
        [(attention, "query_key_value", attention.query_key_value)],
        [(attention, "output", attention.output)],
        [(each, "gate_up", each.gate_up) for each in networks],
        [(each, "down", each.down) for each in networks],
    ]


@torch.inference_mode()
def through_block(
    network: Transformer, layer: int, bits: int, stream: Tensor
) -> tuple[Tensor, list[float]] | None:
    """Run one block with its matrices quantized to `bits` bits.

    Returns the residual stream after the block, and the relative error |W' - W| / |W| of each of
    the four matrices: query, key and value; output; gate and up; down. In a mixture of experts, the
    last two errors include the matrices of all experts; the router is not rounded. The
    residual streams before and after the block are [T, width]. Returns None if this machine has no
    kernel for the precision.
    """
    found = _rounded_block(network, layer, bits)
    if found is None:
        return None
    replacements, errors = found
    tokens, device = len(stream), network.embedding(torch.tensor([0])).device
    rotation = rotations_by_layer(network.config, range(tokens), device)[layer]
    mask = masks_by_layer(network.config, tokens, tokens, device)[layer]
    with replaced(replacements):
        block = block_of(network, layer)
        after: Tensor = block(stream.to(device), rotation, mask)
    return after.cpu(), errors


def _rounded_block(
    network: Transformer, layer: int, bits: int
) -> tuple[list[Replacement], list[float]] | None:
    """Return a block's rounded matrices and their errors, or None if there is no kernel."""
    replacements: list[Replacement] = []
    errors = []
    for kind in _parts(network, layer):
        wrong = total = 0.0
        for where, name, module in kind:
            weights = matrix_of(module)
            made = at_precision(weights, bits)
            if made is None:
                return None
            kept, stands_for = made
            wrong += float((stands_for - weights).square().sum().cpu())
            total += float(weights.square().sum().cpu())
            replacements.append((where, name, kept))
        errors.append(math.sqrt(wrong / total))
    return replacements, errors


class RoundedPass(ForwardPass):
    """A forward pass in which the matrices of all blocks are rounded to `bits` bits.

    Each block is rounded just before it runs, so only one rounded block is in memory at a time.
    """

    def __init__(self, network: Transformer, ids: Sequence[int], bits: int) -> None:
        super().__init__(network, ids)
        self._bits = bits

    def advance(self, seconds: float) -> None:
        """Run blocks, as `ForwardPass.advance` does.

        Raises `ModelUnsupported` if this machine has no kernel for the precision.
        """
        until = time.perf_counter() + seconds
        while not self.finished:
            with torch.inference_mode():
                found = _rounded_block(self._network, self.done, self._bits)
            if found is None:
                raise ModelUnsupported(
                    _("This machine cannot run the model with {bits}-bit weights.").format(
                        bits=self._bits
                    ),
                    "Choose another number of bits.",
                )
            with replaced(found[0]):
                super().advance(0)
            if time.perf_counter() >= until:
                return
