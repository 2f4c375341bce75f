"""Write a safetensors file one tensor at a time.

The writer in the safetensors library needs all tensors in memory at once. The format is simple: the
length of the header as 8 bytes, a JSON header with the type, shape and position of each tensor,
spaces that pad the header, and the bytes of the tensors without gaps. This module reserves space
for the header, writes the tensors, and then fills in the header. Source:
https://huggingface.co/docs/safetensors/index#format
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import msgspec
import torch
from torch import Tensor

FILLER = "filler."
"""The prefix of the names of tensors that only align the next tensor. Readers must ignore them."""

_ALIGNMENT = 64  # bytes; the matrix kernels read 64 bytes at a time
_RESERVED_EACH = 240  # bytes; space in the header for a tensor and for the filler before it
_TYPES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int32: "I32",
    torch.int8: "I8",
    torch.uint8: "U8",
}


def write_tensors(
    file: BinaryIO,
    tensors: Iterable[tuple[str, Tensor]],
    metadata: Mapping[str, str],
    most: int = 1000,
) -> None:
    """Write `tensors`, pairs of a name and a tensor, to a new file.

    Space in the header is reserved for `most` tensors. Raises `OSError` if the file cannot be
    written, or if there are too many tensors for the header.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    start = _aligned(_RESERVED_EACH * most + len(msgspec.json.encode(header)))
    file.seek(start)
    at = 0
    for name, tensor in tensors:
        if gap := _aligned(at) - at:
            header[f"{FILLER}{at}"] = _entry("U8", (gap,), at, gap)
            at += file.write(bytes(gap))
        header[name] = _entry(_TYPES[tensor.dtype], tensor.shape, at, tensor.nbytes)
        at += file.write(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    encoded = msgspec.json.encode(header)
    if len(encoded) > start - 8:
        raise OSError(errno.EFBIG, "the header has no room for all tensors")
    file.seek(0)
    file.write((start - 8).to_bytes(8, "little") + encoded.ljust(start - 8))


def _entry(kind: str, shape: Iterable[int], at: int, size: int) -> dict[str, Any]:
    return {"dtype": kind, "shape": list(shape), "data_offsets": [at, at + size]}


def _aligned(position: int) -> int:
    return -(-position // _ALIGNMENT) * _ALIGNMENT
