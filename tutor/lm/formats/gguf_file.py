"""Read models from GGUF files, the format of llama.cpp.

A file contains metadata (sizes, tokenizer, chat template) and tensors. Most tensors consist of
blocks of small integers that share a scale. Blocks of 32 integers with 4 or 8 bits are used without
conversion; the `gguf` package converts all other formats to 32-bit floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING

import gguf
import numpy as np
import torch
from torch import Tensor

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.architectures.family import Settings, changed
from tutor.lm.config import Config
from tutor.lm.fast.linear import GROUP, Groups, to_half
from tutor.lm.formats.gguf_header import TensorInfo, read_header
from tutor.lm.formats.gguf_settings import read_settings
from tutor.lm.formats.source import ROTATED, Matrix, all_parts, fused_rows, paired
from tutor.lm.tokenizer import Tokenizer
from tutor.text import safe

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Tensors that are used in another way: factors of the rotary embedding.
_FACTORS = ("rope_freqs.weight", "rope_factors_short.weight")
_UNUSED = (*_FACTORS, "rope_factors_long.weight")


class GgufFile:
    """An open GGUF file with the methods of `tutor.lm.formats.source.Source`."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._data = memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))
        except ValueError as error:  # an empty file cannot be memory-mapped
            raise ModelDamaged("the file is empty.") from error
        self.files = [path]
        self._fields, self._tensors = read_header(self._data)
        self._family, settings = read_settings(self._fields, self._tensors)
        self.multipliers: Mapping[str, float] = settings.multipliers()
        self.config = self._config(settings)
        self._require_known()
        self.format = self._format()
        self.chat_template = self._fields.text("tokenizer.chat_template", "") or None

    def tokenizer(self) -> Tokenizer:
        """Return the model's tokenizer."""
        return Tokenizer.from_gguf(self._fields)

    def vector(self, part: str, block: int | None = None) -> Tensor:
        """Return a vector as 32-bit floats."""
        vector = self._dense(self._tensor(part, block)).flatten()
        order = self._order(part, len(vector))
        return vector if order is None else vector[order]

    def matrix(self, part: str, block: int | None = None) -> Matrix:
        """Return a matrix [N, K], as integers with scales if the file stores it in blocks of 32."""
        tensor = self._matrix(part, block)
        inputs = tensor.shape[0]
        rows = tensor.rows(self._data)
        order = self._order(part, len(rows))
        if order is not None:
            rows = rows[order.numpy()]
        blocks = _BLOCKS.get(tensor.kind.name)
        if blocks is None:
            values = self._dense(tensor, rows).view(len(rows), inputs)
            return values if tensor.kind.name == "F32" else to_half(values)
        return blocks(torch.from_numpy(np.array(rows)).view(len(rows), inputs // GROUP, -1))

    def _order(self, part: str, count: int) -> Tensor | None:
        """Return which rows of a tensor with `count` rows are those of a part, or None for all."""
        role = part.partition(".")[0]
        together, rows = fused_rows(role, self._family.names, self.config)
        order = torch.arange(count)
        if rows:
            if sum(rows) != count:  # `convert` refuses the shape
                return None
            order = order.split(rows)[together.index(role)]
        elif not (self._family.halves and role in ROTATED):
            return None
        return paired(order, self.config) if self._family.halves and role in ROTATED else order

    def _dense(self, tensor: TensorInfo, rows: NDArray[np.uint8] | None = None) -> Tensor:
        """Return the values of a tensor, or of some of its rows, as 32-bit floats."""
        try:
            rows = tensor.rows(self._data) if rows is None else rows
            values = gguf.dequantize(rows, tensor.kind)
        except NotImplementedError as error:
            raise ModelUnsupported(
                f"the number format {tensor.kind.name} is not supported.",
                "Use a file in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K.",
            ) from error
        return torch.from_numpy(np.array(values, dtype=np.float32))

    def _matrix(self, part: str, block: int | None) -> TensorInfo:
        tensor = self._tensor(part, block)
        if len(tensor.shape) != 2:
            raise ModelDamaged(f"the tensor {tensor.name} is not a matrix.")
        return tensor

    def _tensor(self, part: str, block: int | None) -> TensorInfo:
        name = self._name(part, block)
        if name not in self._tensors:
            raise ModelDamaged(f"the tensor {name} is missing.")
        return self._tensors[name]

    def _name(self, part: str, block: int | None) -> str:
        role, _, kind = part.partition(".")
        name = f"{self._family.names[role]}.{kind or 'weight'}"
        return name if block is None else f"blk.{block}.{name}"

    def _require_known(self) -> None:
        """Raise `ModelUnsupported` if there are weights that this family doesn't have."""
        known = {self._name(part, block) for part, block in all_parts(self.config)}
        for name in self._tensors if self.config.layers > 0 else ():
            if name not in known and name not in _UNUSED:
                raise ModelUnsupported(
                    f"the file has a tensor {safe(name)[:80]!r}, which models of this family "
                    "don't have.",
                    "Use another model.",
                )

    def _config(self, settings: Settings) -> Config:
        config = settings.config()
        config = changed(config, vocabulary_size=self._matrix("embedding", None).shape[1])
        found = next((name for name in _FACTORS if name in self._tensors), None)
        if found is None:
            return config
        factors = tuple(self._dense(self._tensors[found]).flatten().tolist())
        if found == "rope_freqs.weight":  # Llama 3 has one factor per pair
            return changed(config, rope_factors=factors)
        # Phi-3: the factors for texts that are no longer than the texts in training
        original = self._fields.whole_number("phi3.rope.scaling.original_context_length")
        magnitude = self._fields.number("phi3.rope.scaling.attn_factor", 1.0)
        context = min(config.context, original)
        return changed(config, rope_factors=factors, rope_magnitude=magnitude, context=context)

    def _format(self) -> str:
        number = self._fields.whole_number("general.file_type", -1)
        try:
            return str(gguf.LlamaFileType(number).name).removeprefix("MOSTLY_").removeprefix("ALL_")
        except ValueError:
            return "GGUF"


# The functions below decode blocks of 32 weights, given as bytes [N, K / 32, bytes per block]. The
# formats are defined by ggml (ggml-common.h).


def _q8_0(blocks: Tensor) -> Groups:
    """Decode blocks of a scale (2 bytes) and 32 signed bytes: w = scale * q."""
    scales = _half(blocks, 0)
    return Groups(8, _flat(blocks[..., 2:].view(torch.int8)), scales, torch.zeros_like(scales))


def _q4_0(blocks: Tensor) -> Groups:
    """Decode blocks of a scale (2 bytes) and 32 integers (16 bytes): w = scale * (q - 8)."""
    scales = _half(blocks, 0)
    return Groups(4, _nibbles(blocks[..., 2:]), scales, -8 * scales)


def _q4_1(blocks: Tensor) -> Groups:
    """Decode blocks of a scale and a minimum (2 bytes each) and 32 integers (16 bytes).

    The weights are w = scale * q + minimum.
    """
    return Groups(4, _nibbles(blocks[..., 4:]), _half(blocks, 0), _half(blocks, 2))


_BLOCKS = {"Q8_0": _q8_0, "Q4_0": _q4_0, "Q4_1": _q4_1}


def _half(blocks: Tensor, start: int) -> Tensor:
    """Return the 16-bit float at byte `start` of every block: [N, K / 32]."""
    return blocks[..., start : start + 2].contiguous().view(torch.float16).squeeze(-1).float()


def _nibbles(data: Tensor) -> Tensor:
    """Return 32 integers for every 16 bytes: the low halves, then the high halves."""
    return _flat(torch.cat([data & 15, data >> 4], dim=-1))


def _flat(groups: Tensor) -> Tensor:
    return groups.flatten(1)  # [N, K / 32, 32] -> [N, K]
