"""Decode the blocks of small integers in GGUF files into integers with scales.

The formats are defined by ggml (ggml-common.h and ggml-quants.c). Each function below takes a chunk
of blocks [N, blocks per row, bytes per block] and returns the weights of N rows. Q4_K and Q6_K
combine 256 weights in a block. Within a block, each group of 32 or 16 weights has its own scale,
which is also a small integer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tutor.lm.fast.linear import CHUNK, Groups

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Decode = Callable[[Tensor], Groups]


def _q8_0(blocks: Tensor) -> Groups:
    """Decode blocks that each contain a scale (2 bytes) and 32 signed bytes: w = scale * q."""
    scales = _half(blocks, 0)
    return Groups(8, _flat(blocks[..., 2:].view(torch.int8)), scales, torch.zeros_like(scales))


def _q4_0(blocks: Tensor) -> Groups:
    """Decode blocks that each contain a scale (2 bytes) and 32 integers (16 bytes).

    The weights are w = scale * (q - 8).
    """
    scales = _half(blocks, 0)
    return Groups(4, _nibbles(blocks[..., 2:]), scales, -8 * scales)


def _q4_1(blocks: Tensor) -> Groups:
    """Decode blocks that each contain a scale, a minimum (2 bytes each) and 32 integers (16 bytes).

    The weights are w = scale * q + minimum.
    """
    return Groups(4, _nibbles(blocks[..., 4:]), _half(blocks, 0), _half(blocks, 2))


def _q4_k(blocks: Tensor) -> Groups:
    """Decode blocks of 256 integers of 4 bits in 8 groups.

    A block contains two 16-bit floats d and e, then a scale and a minimum of 6 bits for each group
    (12 bytes), then the integers. The weights of group j are
    w = d * scales[j] * q - e * minimums[j].
    """
    packed = blocks[..., 4:16]
    first, second, third = packed[..., :4], packed[..., 4:8], packed[..., 8:]
    scales = torch.cat([first & 63, third & 15 | first >> 6 << 4], dim=-1)
    minimums = torch.cat([second & 63, third >> 4 | second >> 6 << 4], dim=-1)
    quants = _nibbles(blocks[..., 16:].unflatten(-1, (4, 32)))
    return Groups(
        4,
        quants.flatten(1),
        (_half(blocks, 0).unsqueeze(-1) * scales).flatten(1),
        (-_half(blocks, 2).unsqueeze(-1) * minimums).flatten(1),
    )


def _q6_k(blocks: Tensor) -> Groups:
    """Decode blocks of 256 integers of 6 bits, 16 scales (signed bytes), and a scale (2 bytes).

    The 6 bits are split into 4 low bits (128 bytes) and 2 high bits (64 bytes). The weights of
    group j, which consists of 16 weights, are w = scale * scales[j] * (q - 32).
    """
    low = blocks[..., :128].unflatten(-1, (2, 64))
    high = blocks[..., 128:192].unflatten(-1, (2, 32))
    bits = torch.cat([high & 3, high >> 2 & 3, high >> 4 & 3, high >> 6], dim=-1)
    quants = (torch.cat([low & 15, low >> 4], dim=-1) | bits << 4).view(torch.int8) - 32
    scales = blocks[..., 192:208].view(torch.int8) * _half(blocks, 208).unsqueeze(-1)
    return Groups(8, quants.flatten(1), scales.flatten(1), torch.zeros_like(scales).flatten(1))


def _half(blocks: Tensor, start: int) -> Tensor:
    """Return the 16-bit float at byte `start` of every block: [N, blocks per row]."""
    return blocks[..., start : start + 2].contiguous().view(torch.float16).squeeze(-1).float()


def _nibbles(data: Tensor) -> Tensor:
    """Split each byte into two 4-bit integers.

    Within a group, the low halves of all bytes come first, then the high halves.
    """
    return _flat(torch.cat([data & 15, data >> 4], dim=-1))


def _flat(groups: Tensor) -> Tensor:
    return groups.flatten(1)


def _decode(decode: _Decode, size: int, rows: NDArray[np.uint8], inputs: int) -> Groups:
    """Decode all rows [N, bytes], in chunks, because temporary copies take memory."""
    step = max(1, CHUNK // inputs)
    chunks = [
        decode(
            torch.from_numpy(rows[start : start + step].copy()).unflatten(-1, (inputs // size, -1))
        )
        for start in range(0, len(rows), step)
    ]
    return Groups(
        chunks[0].bits,
        torch.cat([chunk.quants for chunk in chunks]),
        torch.cat([chunk.scales for chunk in chunks]),
        torch.cat([chunk.zeros for chunk in chunks]),
    )


BLOCKS: dict[str, Callable[[NDArray[np.uint8], int], Groups]] = {
    "Q8_0": partial(_decode, _q8_0, 32),
    "Q4_0": partial(_decode, _q4_0, 32),
    "Q4_1": partial(_decode, _q4_1, 32),
    "Q4_K": partial(_decode, _q4_k, 256),
    "Q6_K": partial(_decode, _q6_k, 256),
}
"""Maps the name of each format that we can decode to a function that decodes N rows.

The arguments of a function are the bytes [N, bytes per row] and the number of weights in a row."""
