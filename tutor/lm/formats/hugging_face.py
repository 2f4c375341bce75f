"""Read models from Hugging Face folders: `config.json`, `tokenizer.json`, safetensors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.formats.json_file import read_json, read_text
from tutor.lm.formats.quantized import quantized, require_floats
from tutor.lm.formats.soundness import default_head_size, require_head_size
from tutor.lm.network import Config
from tutor.lm.tokenizer import Tokenizer

# Maps the names of a model's parts in `tutor.lm.formats.source` to their names in `transformers`.
NAMES = {
    "embedding": "model.embed_tokens",
    "norm": "model.norm",
    "head": "lm_head",
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "output": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
    "attention_norm": "input_layernorm",
    "feed_forward_norm": "post_attention_layernorm",
}

_FORMATS = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}

_LONGEST_NAME = 200  # characters


class _RopeScaling(msgspec.Struct, frozen=True):
    """The rotary embedding settings in config.json."""

    rope_type: str = ""
    type: str = "default"  # what `rope_type` was called before transformers 4.43
    rope_theta: float | None = None
    factor: float = 1.0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    original_max_position_embeddings: int = 8192


class _ConfigFile(msgspec.Struct, frozen=True):
    """The fields of config.json that we use.

    Names and defaults are those of `transformers.LlamaConfig`, which since version 5 writes
    `rope_parameters` instead of `rope_theta` and `rope_scaling`.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    architectures: tuple[str, ...] = ()
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: str = "silu"
    max_position_embeddings: int = 2048
    rms_norm_eps: float = 1e-6
    tie_word_embeddings: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    rope_theta: float = 10_000.0
    rope_scaling: _RopeScaling | None = None
    rope_parameters: _RopeScaling | None = None


class HuggingFaceFolder:
    """An open Hugging Face folder with the methods of `tutor.lm.formats.source.Source`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.config = _read_config(folder / "config.json")
        self._files = _files_by_tensor(folder)
        self.files = sorted(set(self._files.values()))
        self.format = _FORMATS.get(self._tensor("embedding", None).dtype, "safetensors")
        self.chat_template = _chat_template(folder)

    def tokenizer(self) -> Tokenizer:
        """Return the model's tokenizer."""
        return Tokenizer.from_file(self._folder / "tokenizer.json")

    def vector(self, part: str, block: int | None = None) -> Tensor:
        """Return a vector as 32-bit floats."""
        return self._tensor(part, block).float()

    def matrix(self, part: str, block: int | None = None) -> Tensor:
        """Return a matrix [N, K] of floats.

        The rows of query and key matrices are reordered for our rotary embedding.
        """
        tensor = self._tensor(part, block)
        if tensor.dim() != 2:
            raise ModelDamaged(f"the {part} weights are not a matrix.")
        if part in ("query", "key") and len(tensor) % self.config.head_size == 0:
            return _pairs(tensor, self.config.head_size)  # `convert` refuses all other shapes
        return tensor

    def _tensor(self, part: str, block: int | None) -> Tensor:
        name = f"{NAMES[part]}.weight"
        if block is not None:
            name = f"model.layers.{block}.{name}"
        if name not in self._files:
            if name.replace(".weight", ".qweight") in self._files:
                raise quantized("GPTQ or AWQ")
            raise ModelDamaged(f"the tensor {name} is missing.")
        path = self._files[name]
        # The file is mapped for this tensor alone, which frees the memory of earlier tensors.
        with _open_safetensors(path) as file:
            try:
                tensor: Tensor = file.get_tensor(name)
            except SafetensorError as error:
                raise ModelDamaged(f"{path.name} has no tensor {name}.") from error
        if tensor.dtype not in _FORMATS:
            raise ModelUnsupported(
                f"{name} has an unsupported format: {str(tensor.dtype).removeprefix('torch.')}.",
                "Use a model in F32, F16 or BF16.",
            )
        return tensor


def _files_by_tensor(folder: Path) -> dict[str, Path]:
    """Return the path of the file that contains each tensor.

    If the folder has an index file, the index lists the tensors and their files.
    """
    index = folder / "model.safetensors.index.json"
    if index.exists():
        data = read_json(index)
        names = data.get("weight_map") if isinstance(data, dict) else None
        if not isinstance(names, dict):
            raise ModelDamaged(f"{index.name} does not list the weights.")
        return {tensor: folder / _file_name(index, file) for tensor, file in names.items()}
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelDamaged("the folder contains no safetensors file.")
    found: dict[str, Path] = {}
    for path in files:
        with _open_safetensors(path) as file:
            found |= dict.fromkeys(file.keys(), path)
    return found


def _file_name(index: Path, file: object) -> str:
    """Return the file name in an index entry, without any folders.

    A file name alone cannot point outside the model's folder.
    """
    name = Path(file).name if isinstance(file, str) else ""
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise ModelDamaged(f"{index.name} contains an invalid file name.")
    return name


def _open_safetensors(path: Path) -> Any:
    try:
        return safe_open(path, framework="pt")
    except FileNotFoundError as error:
        raise ModelDamaged(f"{path.name} is missing.") from error
    except (SafetensorError, OSError) as error:
        raise ModelDamaged(f"{path.name} is incomplete or not a safetensors file.") from error


def _read_config(path: Path) -> Config:
    data = read_json(path)
    require_floats(data)
    architectures = data.get("architectures") if isinstance(data, dict) else None
    if not isinstance(architectures, list):
        raise ModelDamaged(f"{path.name} does not name the model's architecture.")
    if "LlamaForCausalLM" not in architectures:
        raise ModelUnsupported(
            f"the architecture {architectures!r:.60} is not supported.",
            "Use a model of the Llama family (LlamaForCausalLM).",
        )
    try:
        read = msgspec.convert(data, _ConfigFile)
    except msgspec.ValidationError as error:
        raise ModelDamaged(f"{path.name}: {error}.") from error
    if read.attention_bias or read.mlp_bias or read.hidden_act != "silu":
        raise ModelUnsupported(
            "the model has biases, or an activation function other than SiLU.", "Use another model."
        )
    head_size = read.head_dim or default_head_size(read.hidden_size, read.num_attention_heads)
    require_head_size(head_size)
    rope = read.rope_parameters or read.rope_scaling or _RopeScaling()
    base = rope.rope_theta or read.rope_theta
    return Config(
        vocabulary_size=read.vocab_size,
        width=read.hidden_size,
        layers=read.num_hidden_layers,
        heads=read.num_attention_heads,
        key_value_heads=read.num_key_value_heads or read.num_attention_heads,
        head_size=head_size,
        hidden=read.intermediate_size,
        rope_base=base,
        norm_epsilon=read.rms_norm_eps,
        context=read.max_position_embeddings,
        tied=read.tie_word_embeddings,
        rope_factors=_rope_factors(rope, base, head_size),
    )


def _rope_factors(rope: _RopeScaling, base: float, head_size: int) -> tuple[float, ...] | None:
    """Return the factor that slows the rotation of each pair, or None if no pair is slowed.

    With Llama 3's method ("llama3"), pairs that make fewer than `low_freq_factor` rotations within
    the original context are slowed by `factor`, and pairs that make more than `high_freq_factor`
    rotations are unchanged, with a smooth transition between the two (as in
    `transformers.modeling_rope_utils`).
    """
    kind = rope.rope_type or rope.type
    if kind == "default" or base <= 0:  # `require_sound` raises an error for base <= 0
        return None
    if kind == "linear":
        return (rope.factor,) * (head_size // 2)
    if kind != "llama3":
        raise ModelUnsupported(
            f"the RoPE scaling type {kind!r:.60} is not supported.", "Use another model."
        )
    if rope.factor <= 0 or rope.high_freq_factor <= rope.low_freq_factor:
        raise ModelDamaged("the RoPE scaling factors contradict each other.")
    factors = []
    for pair in range(0, head_size, 2):
        speed = base ** (-pair / head_size)
        rotations = rope.original_max_position_embeddings * speed / (2 * math.pi)
        keep = (rotations - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor)
        keep = min(1.0, max(0.0, keep))
        factors.append(1 / (keep + (1 - keep) / rope.factor))
    return tuple(factors)


def _pairs(weight: Tensor, head_size: int) -> Tensor:
    """Reorder the rows of each head for our rotary embedding, which pairs neighbors.

    The rotary embedding of `transformers` pairs dimension i of the first half with dimension i of
    the second half. So rows 0 2 4 1 3 5 become 0 1 2 3 4 5.
    """
    return weight.unflatten(0, (-1, 2, head_size // 2)).transpose(1, 2).flatten(0, 2)


def _chat_template(folder: Path) -> str | None:
    """Return the chat template, from its own file or from tokenizer_config.json.

    If there are several templates, this is the one named "default".
    """
    alone, config = folder / "chat_template.jinja", folder / "tokenizer_config.json"
    if alone.exists():
        return read_text(alone)
    if not config.exists():
        return None
    data = read_json(config)
    template = data.get("chat_template") if isinstance(data, dict) else None
    if isinstance(template, list):
        named = {
            each.get("name"): each.get("template") for each in template if isinstance(each, dict)
        }
        template = named.get("default")
    return template if isinstance(template, str) else None
