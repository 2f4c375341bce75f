"""Models in a GGUF file, the format of llama.cpp.

One file holds metadata (sizes, tokenizer, chat template) and tensors, most of them in blocks of
small integers that share a scale. Blocks of 32 with integers of 4 or 8 bits are taken as they are;
the `gguf` package turns every other kind into 32-bit floats.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from torch import Tensor

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.linear import GROUP, Groups, halves
from tutor.lm.network import Config
from tutor.lm.soundness import even_share
from tutor.lm.source import Matrix
from tutor.lm.tokenizer import Tokenizer

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

# What the gguf package raises for a file that ends early or is not what it says.
_UNREADABLE = (
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    UnicodeDecodeError,
    struct.error,
)

_FETCH_AGAIN = "Fetch the file again."


class GgufFile:
    """An open GGUF file; see `tutor.lm.source.Source`."""

    def __init__(self, path: Path) -> None:
        try:
            reader = gguf.GGUFReader(path)
            self._fields: dict[str, Any] = {
                name: field.contents() for name, field in reader.fields.items()
            }
            self._tensors = {tensor.name: tensor for tensor in reader.tensors}
        except _UNREADABLE as error:
            raise ModelDamaged(
                "it ends early, or is not what it says it is.", _FETCH_AGAIN
            ) from error
        self._require_family()
        self.config = self._config()
        self.format = self._format()
        self.chat_template: str | None = self._fields.get("tokenizer.chat_template")

    def tokenizer(self) -> Tokenizer:
        return Tokenizer.from_gguf(self._fields)

    def vector(self, part: str, block: int | None = None) -> Tensor:
        return _dense(self._tensor(part, block)).flatten()

    def matrix(self, part: str, block: int | None = None) -> Matrix:
        tensor = self._tensor(part, block)
        if len(tensor.shape) != 2:
            raise ModelDamaged(f"its tensor {tensor.name} is not a matrix.", _FETCH_AGAIN)
        inputs, outputs = (int(size) for size in tensor.shape)  # GGUF counts dimensions backwards
        blocks = _BLOCKS.get(tensor.tensor_type.name)
        if blocks is None:
            values = _dense(tensor).view(outputs, inputs)
            return values if tensor.tensor_type.name == "F32" else halves(values)
        return blocks(torch.from_numpy(np.array(tensor.data)).view(outputs, inputs // GROUP, -1))

    def _tensor(self, part: str, block: int | None) -> Any:
        name = f"{_NAMES[part]}.weight" if block is None else f"blk.{block}.{_NAMES[part]}.weight"
        if name not in self._tensors:
            raise ModelDamaged(f"it has no tensor {name}.", _FETCH_AGAIN)
        return self._tensors[name]

    def _require_family(self) -> None:
        architecture = self._fields.get("general.architecture")
        if architecture != "llama":
            raise ModelUnsupported(
                f"it is of the architecture {architecture!r}.",
                "Use a model of the Llama family (architecture 'llama').",
            )
        if self._fields.get("llama.expert_count"):
            raise ModelUnsupported(
                "it is a mixture of experts.", "Use a model with one feed-forward network a block."
            )
        if biased := next((name for name in self._tensors if name.endswith(".bias")), None):
            raise ModelUnsupported(
                f"it has a bias, {biased}, which the Llama family has not.", "Use another model."
            )

    def _required(self, key: str) -> Any:
        if key not in self._fields:
            raise ModelDamaged(f"it does not say {key}.", _FETCH_AGAIN)
        return self._fields[key]

    def _config(self) -> Config:
        fields = self._fields
        width = int(self._required("llama.embedding_length"))
        heads = int(self._required("llama.attention.head_count"))
        head_size = int(fields.get("llama.attention.key_length") or even_share(width, heads))
        if int(fields.get("llama.rope.dimension_count", head_size)) != head_size:
            raise ModelUnsupported("it turns only a part of each head.", "Use another model.")
        return Config(
            vocabulary_size=int(self._tensor("embedding", None).shape[1]),
            width=width,
            layers=int(self._required("llama.block_count")),
            heads=heads,
            key_value_heads=int(fields.get("llama.attention.head_count_kv", heads)),
            head_size=head_size,
            hidden=int(self._required("llama.feed_forward_length")),
            rope_base=float(fields.get("llama.rope.freq_base", 10_000.0)),
            norm_epsilon=float(self._required("llama.attention.layer_norm_rms_epsilon")),
            context=int(self._required("llama.context_length")),
            tied="output.weight" not in self._tensors,
            rope_factors=self._rope_factors(head_size),
        )

    def _rope_factors(self, head_size: int) -> tuple[float, ...] | None:
        kind = self._fields.get("llama.rope.scaling.type", "none")
        if "rope_freqs.weight" in self._tensors:  # Llama 3 writes them out
            return tuple(_dense(self._tensors["rope_freqs.weight"]).flatten().tolist())
        if kind == "none":
            return None
        if kind == "linear":
            factor = float(self._required("llama.rope.scaling.factor"))
            return (factor,) * (head_size // 2)
        raise ModelUnsupported(f"it stretches its context by {kind!r}.", "Use another model.")

    def _format(self) -> str:
        number = self._fields.get("general.file_type")
        try:
            return str(gguf.LlamaFileType(number).name).removeprefix("MOSTLY_").removeprefix("ALL_")
        except ValueError:
            return "GGUF"


def _dense(tensor: Any) -> Tensor:
    """The tensor's values as 32-bit floats."""
    try:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
    except NotImplementedError as error:
        raise ModelUnsupported(
            f"its number format {tensor.tensor_type.name} is not known here.",
            "Use a file in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K.",
        ) from error
    return torch.from_numpy(np.array(values, dtype=np.float32))


# Blocks of 32 weights as bytes, [N, K / 32, size of a block]; formats as in ggml (ggml-common.h).


def _q8_0(blocks: Tensor) -> Groups:
    """2 bytes scale, 32 signed bytes: w = scale * q."""
    scales = _half(blocks, 0)
    return Groups(8, _flat(blocks[..., 2:].view(torch.int8)), scales, torch.zeros_like(scales))


def _q4_0(blocks: Tensor) -> Groups:
    """2 bytes scale, 16 bytes with two integers each: w = scale * (q - 8)."""
    scales = _half(blocks, 0)
    return Groups(4, _nibbles(blocks[..., 2:]), scales, -8 * scales)


def _q4_1(blocks: Tensor) -> Groups:
    """2 bytes scale, 2 bytes minimum, 16 bytes with two integers each: w = scale * q + minimum."""
    return Groups(4, _nibbles(blocks[..., 4:]), _half(blocks, 0), _half(blocks, 2))


_BLOCKS = {"Q8_0": _q8_0, "Q4_0": _q4_0, "Q4_1": _q4_1}


def _half(blocks: Tensor, start: int) -> Tensor:
    """The 16-bit float at byte `start` of every block, [N, K / 32]."""
    return blocks[..., start : start + 2].contiguous().view(torch.float16).squeeze(-1).float()


def _nibbles(data: Tensor) -> Tensor:
    """16 bytes to 32 integers: first all low halves, then all high ones."""
    return _flat(torch.cat([data & 15, data >> 4], dim=-1))


def _flat(groups: Tensor) -> Tensor:
    return groups.flatten(1)  # [N, K / 32, 32] -> [N, K]
