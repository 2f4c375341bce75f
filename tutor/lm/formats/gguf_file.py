"""Read models from GGUF files, the format of llama.cpp.

A file contains metadata (sizes, tokenizer, chat template) and tensors. Most tensors consist of
blocks of small integers that share a scale. The integers are used without conversion if
`tutor.lm.formats.gguf_blocks` can decode them; the `gguf` package converts all other formats to
32-bit floats.
"""

from __future__ import annotations

import sys
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING

import gguf
import numpy as np
import torch
from torch import Tensor

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.fast.linear import CHUNK, to_half
from tutor.lm.formats.gguf_blocks import BLOCKS
from tutor.lm.formats.gguf_header import TensorInfo, read_header
from tutor.lm.formats.soundness import default_head_size, require_head_size
from tutor.lm.formats.source import Matrix
from tutor.lm.network import Config
from tutor.lm.tokenizer import Tokenizer
from tutor.text import safe

if TYPE_CHECKING:
    from numpy.typing import NDArray

if sys.platform == "linux":
    from mmap import MADV_DONTNEED

_NAMES = {
    "embedding": "token_embd",
    "norm": "output_norm",
    "head": "output",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "output": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
    "attention_norm": "attn_norm",
    "feed_forward_norm": "ffn_norm",
}


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
        self._require_family()
        self.config = self._config()
        self.format = self._format()
        self.chat_template = self._fields.text("tokenizer.chat_template", "") or None

    def tokenizer(self) -> Tokenizer:
        """Return the model's tokenizer."""
        return Tokenizer.from_gguf(self._fields)

    def vector(self, part: str, block: int | None = None) -> Tensor:
        """Return a vector as 32-bit floats."""
        return self._dense(self._tensor(part, block)).flatten()

    def matrix(self, part: str, block: int | None = None) -> Matrix:
        """Return a matrix [N, K], as integers with scales if we can decode the file's format."""
        tensor = self._matrix(part, block)
        self._free_memory()
        inputs, outputs = tensor.shape
        decode = BLOCKS.get(tensor.kind.name)
        if decode is not None:
            return decode(tensor.rows(self._data), inputs)
        if tensor.kind.name == "F32":
            return self._dense(tensor).view(outputs, inputs)
        rows, step = tensor.rows(self._data), max(1, CHUNK // inputs)
        chunks = (rows[start : start + step] for start in range(0, outputs, step))
        halves = [to_half(self._floats(tensor.kind, chunk)) for chunk in chunks]
        return torch.cat(halves)  # one 32-bit chunk makes all of them 32-bit floats

    def _dense(self, tensor: TensorInfo) -> Tensor:
        """Return the values of a tensor as 32-bit floats."""
        return self._floats(tensor.kind, tensor.rows(self._data))

    def _floats(self, kind: gguf.GGMLQuantizationType, rows: NDArray[np.uint8]) -> Tensor:
        try:
            values = gguf.dequantize(rows, kind)
        except NotImplementedError as error:
            raise ModelUnsupported(
                f"the number format {kind.name} is not supported.",
                "Use a file in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K.",
            ) from error
        return torch.from_numpy(np.array(values, dtype=np.float32))

    def _free_memory(self) -> None:
        """Let the system take back the memory of the parts of the file that were read so far."""
        if sys.platform == "linux":
            self._map.madvise(MADV_DONTNEED)

    def _matrix(self, part: str, block: int | None) -> TensorInfo:
        tensor = self._tensor(part, block)
        if len(tensor.shape) != 2:
            raise ModelDamaged(f"the tensor {tensor.name} is not a matrix.")
        return tensor

    def _tensor(self, part: str, block: int | None) -> TensorInfo:
        name = f"{_NAMES[part]}.weight" if block is None else f"blk.{block}.{_NAMES[part]}.weight"
        if name not in self._tensors:
            raise ModelDamaged(f"the tensor {name} is missing.")
        return self._tensors[name]

    def _require_family(self) -> None:
        architecture = safe(self._fields.text("general.architecture", "none"))[:60]
        if architecture != "llama":
            raise ModelUnsupported(
                f"the architecture {architecture!r} is not supported.",
                "Use a model of the Llama family (architecture 'llama').",
            )
        if self._fields.whole_number("llama.expert_count", 0):
            raise ModelUnsupported(
                "mixture-of-experts models are not supported.",
                "Use a model with one feed-forward network per block.",
            )
        if biased := next((name for name in self._tensors if name.endswith(".bias")), None):
            raise ModelUnsupported(
                f"the model has a bias, {biased}, which models of the Llama family don't have.",
                "Use another model.",
            )

    def _config(self) -> Config:
        fields = self._fields
        width = fields.whole_number("llama.embedding_length")
        heads = fields.whole_number("llama.attention.head_count")
        head_size = fields.whole_number("llama.attention.key_length", 0) or default_head_size(
            width, heads
        )
        require_head_size(head_size)
        if fields.whole_number("llama.rope.dimension_count", head_size) != head_size:
            raise ModelUnsupported(
                "the rotary embedding covers only part of each head.", "Use another model."
            )
        return Config(
            vocabulary_size=self._matrix("embedding", None).shape[1],
            width=width,
            layers=fields.whole_number("llama.block_count"),
            heads=heads,
            key_value_heads=fields.whole_number("llama.attention.head_count_kv", heads),
            head_size=head_size,
            hidden=fields.whole_number("llama.feed_forward_length"),
            rope_base=fields.number("llama.rope.freq_base", 10_000.0),
            norm_epsilon=fields.number("llama.attention.layer_norm_rms_epsilon"),
            context=fields.whole_number("llama.context_length"),
            tied="output.weight" not in self._tensors,
            rope_factors=self._rope_factors(head_size),
        )

    def _rope_factors(self, head_size: int) -> tuple[float, ...] | None:
        kind = self._fields.text("llama.rope.scaling.type", "none")
        if "rope_freqs.weight" in self._tensors:  # Llama 3 has one factor per pair
            return tuple(self._dense(self._tensors["rope_freqs.weight"]).flatten().tolist())
        if kind == "none":
            return None
        if kind == "linear":
            factor = self._fields.number("llama.rope.scaling.factor")
            return (factor,) * (head_size // 2)
        raise ModelUnsupported(
            f"the RoPE scaling type {kind!r:.60} is not supported.", "Use another model."
        )

    def _format(self) -> str:
        number = self._fields.whole_number("general.file_type", -1)
        try:
            return str(gguf.LlamaFileType(number).name).removeprefix("MOSTLY_").removeprefix("ALL_")
        except ValueError:
            return "GGUF"
