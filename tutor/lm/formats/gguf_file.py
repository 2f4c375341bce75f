"""Read models from GGUF files, the format of llama.cpp.

A file contains metadata (sizes, tokenizer, chat template) and tensors. Most tensors consist of
blocks of small integers that share a scale. Blocks of 32 integers with 4 or 8 bits are used without
conversion; the `gguf` package converts all other formats to 32-bit floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path

import gguf
import numpy as np
import torch
from torch import Tensor

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.fast.linear import GROUP, Groups, to_half
from tutor.lm.formats.gguf_header import TensorInfo, read_header
from tutor.lm.formats.soundness import default_head_size, require_head_size
from tutor.lm.formats.source import Matrix
from tutor.lm.network import Config
from tutor.lm.tokenizer import Tokenizer
from tutor.text import safe

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
                self._data = memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))
        except ValueError as error:  # an empty file cannot be memory-mapped
            raise ModelDamaged("the file is empty.") from error
        self.files = [path]
        self._fields, self._tensors = read_header(self._data)
        self._require_family()
        self.config = self._config()
        self.multipliers: Mapping[str, float] = {}
        self.format = self._format()
        self.chat_template = self._fields.text("tokenizer.chat_template", "") or None

    def tokenizer(self) -> Tokenizer:
        """Return the model's tokenizer."""
        return Tokenizer.from_gguf(self._fields)

    def vector(self, part: str, block: int | None = None) -> Tensor:
        """Return a vector as 32-bit floats."""
        return self._dense(self._tensor(part, block)).flatten()

    def matrix(self, part: str, block: int | None = None) -> Matrix:
        """Return a matrix [N, K], as integers with scales if the file stores it in blocks of 32."""
        tensor = self._matrix(part, block)
        inputs, outputs = tensor.shape
        blocks = _BLOCKS.get(tensor.kind.name)
        if blocks is None:
            values = self._dense(tensor).view(outputs, inputs)
            return values if tensor.kind.name == "F32" else to_half(values)
        rows = torch.from_numpy(np.array(tensor.rows(self._data)))
        return blocks(rows.view(outputs, inputs // GROUP, -1))

    def _dense(self, tensor: TensorInfo) -> Tensor:
        """Return the values of a tensor as 32-bit floats."""
        try:
            values = gguf.dequantize(tensor.rows(self._data), tensor.kind)
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
