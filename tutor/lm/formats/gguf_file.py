"""Read models from GGUF files, the format of llama.cpp.

A file contains metadata (sizes, tokenizer, chat template) and tensors. Most tensors consist of
blocks of small integers that share a scale. The integers are used without conversion if
`tutor.lm.formats.gguf_blocks` can decode them; the `gguf` package converts all other formats to
32-bit floats.
"""

from __future__ import annotations

import sys
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
from tutor.lm.fast.linear import CHUNK, to_half
from tutor.lm.formats.gguf_blocks import BLOCKS
from tutor.lm.formats.gguf_header import Fields, TensorInfo, read_header
from tutor.lm.formats.gguf_settings import read_settings
from tutor.lm.formats.source import (
    ROTATED,
    Matrix,
    all_parts,
    fused_rows,
    paired,
    weight_or,
)
from tutor.lm.tokenizer import Tokenizer
from tutor.text import safe

if TYPE_CHECKING:
    from numpy.typing import NDArray

if sys.platform == "linux":
    from mmap import MADV_DONTNEED

# The tensors with the factors of the rotary embedding, which become part of the configuration.
_FACTORS = ("rope_freqs.weight", "rope_factors_short.weight")
_UNUSED = (*_FACTORS, "rope_factors_long.weight")


class GgufFile:
    """An open GGUF file with the methods of `tutor.lm.formats.source.Source`."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._map = mmap(file.fileno(), 0, access=ACCESS_READ)
        except ValueError as error:  # an empty file cannot be memory-mapped
            raise ModelDamaged("the file is empty.") from error
        self._data = memoryview(self._map)
        self.files = [path]
        self._fields, self._tensors = read_header(self._data)
        self._family, settings = read_settings(self._fields, self._tensors)
        self.multipliers: Mapping[str, float] = settings.multipliers()
        self.config = self._config(settings)
        self._require_known()
        self.format = number_format(self._fields)
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
        """Return a matrix [N, K], as integers with scales if possible, otherwise as floats."""
        tensor, rows = self._rows(part, block)
        self._free_memory()
        inputs = tensor.shape[0]
        order = self._order(part, len(rows))
        if order is not None:
            rows = rows[order.numpy()]
        decode = BLOCKS.get(tensor.kind.name)
        if decode is not None:
            return decode(rows, inputs)
        if tensor.kind.name == "F32":
            return self._floats(tensor.kind, rows).view(len(rows), inputs)
        step = max(1, CHUNK // inputs)
        chunks = (rows[start : start + step] for start in range(0, len(rows), step))
        halves = [to_half(self._floats(tensor.kind, chunk)) for chunk in chunks]
        return torch.cat(halves)  # one 32-bit chunk makes all of them 32-bit floats

    def _order(self, part: str, count: int) -> Tensor | None:
        """Return the indices that select a part's rows in our order, or None for all rows.

        `count` is the number of rows in the tensor that contains the part.
        """
        role = part.partition(".")[0]
        together, rows = fused_rows(role, self._family.names, self.config)
        order = torch.arange(count)
        if rows:
            if sum(rows) != count:  # `convert` rejects the shape
                return None
            order = order.split(rows)[together.index(role)]
        elif not (self._family.halves and role in ROTATED):
            return None
        return paired(order, self.config) if self._family.halves and role in ROTATED else order

    def _dense(self, tensor: TensorInfo) -> Tensor:
        """Return the values of a tensor as 32-bit floats."""
        return self._floats(tensor.kind, tensor.rows(self._data))

    def _floats(self, kind: gguf.GGMLQuantizationType, rows: NDArray[np.uint8]) -> Tensor:
        try:
            with np.errstate(all="ignore"):  # damaged weights are reported later, once
                values = gguf.dequantize(rows, kind)
        except NotImplementedError as error:
            raise ModelUnsupported(
                f"the number format {kind.name} is not supported.",
                "Use a file in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K.",
            ) from error
        return torch.from_numpy(np.array(values, dtype=np.float32))

    def _free_memory(self) -> None:
        """Release the memory of the parts of the file that have been read so far."""
        if sys.platform == "linux":
            self._map.madvise(MADV_DONTNEED)

    def _rows(self, part: str, block: int | None) -> tuple[TensorInfo, NDArray[np.uint8]]:
        """Return the tensor that contains a matrix, and the bytes of the matrix's rows.

        The matrices of all experts of a block are stacked in one tensor. The matrix of the shared
        router has a single row, and is stored as a vector.
        """
        role, _, expert = part.partition(".")
        if role == "shared_router":
            tensor = self._tensor(part, block)
            return tensor, tensor.rows(self._data).reshape(1, -1)
        if not expert:
            tensor = self._matrix(part, block)
            return tensor, tensor.rows(self._data)
        tensor = self._tensor(part, block)
        if len(tensor.shape) != 3 or tensor.shape[2] != self.config.experts:
            raise ModelDamaged(f"the tensor {tensor.name} does not have a matrix for each expert.")
        return tensor, tensor.rows(self._data)[int(expert)]

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
        name = f"{self._family.names[role]}.{weight_or(kind)}"
        return name if block is None else f"blk.{block}.{name}"

    def _require_known(self) -> None:
        """Raise `ModelDamaged` for a missing tensor, `ModelUnsupported` for one we don't know."""
        known = {self._tensor(part, block).name for part, block in all_parts(self.config)}
        for name in self._tensors:
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
        # Phi-3: the factors for texts up to the length of the training texts
        original = self._fields.whole_number("phi3.rope.scaling.original_context_length")
        magnitude = self._fields.number("phi3.rope.scaling.attn_factor", 1.0)
        context = min(config.context, original)
        return changed(config, rope_factors=factors, rope_magnitude=magnitude, context=context)


def number_format(fields: Fields) -> str:
    """Return the name of a file's number format, such as "Q4_1", or "GGUF" if it is unknown."""
    number = fields.whole_number("general.file_type", -1)
    try:
        return str(gguf.LlamaFileType(number).name).removeprefix("MOSTLY_").removeprefix("ALL_")
    except ValueError:
        return "GGUF"
