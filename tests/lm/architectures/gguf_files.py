"""Write a tiny model of a family as a GGUF file, as llama.cpp's converter does.

Its convert_hf_to_gguf.py reorders the rows of queries and keys for some families, adds 1 to the
norms of Gemma, and transposes the matrices of GPT-2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.lm.architectures.folders import references
from tests.lm.architectures.make_reference import weights
from tests.tiny_model import byte_fields
from tutor.lm.architectures import FAMILIES
from tutor.lm.formats.gguf_settings import FAMILIES as GGUF_FAMILIES

ARCHITECTURES = {
    "llama": "llama",
    "llama with biases": "llama",
    "llama with linear rope": "llama",
    "llama with yarn rope": "llama",
    "mistral without a window": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "qwen3 tied, without groups": "qwen3",
    "smollm3": "smollm3",
    "granite": "granite",
    "phi3": "phi3",
    "phi3 with part of each head rotated": "phi3",
    "olmo2": "olmo2",
    "gemma": "gemma",
    "gemma2": "gemma2",
    "gemma3": "gemma3",
    "gpt2": "gpt2",
    "gpt-neox": "gptneox",
    "gpt-neox without parallel blocks": "gptneox",
    "stablelm": "stablelm",
    "olmo3": "olmo2",
    "olmo3 with yarn rope": "olmo2",
    "mixtral": "llama",
    "qwen2 with experts": "qwen2moe",
    "qwen3 with experts": "qwen3moe",
    "olmoe": "olmoe",
}
"""The cases that GGUF files can express, and the names of their architectures in llama.cpp."""


def write_gguf(path: Path, case: str, settings: dict[str, Any] | None = None) -> Path:
    """Write the model of a case in 32-bit floats."""
    config, architecture = references()[case]["config"], ARCHITECTURES[case]
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in (_metadata(config, architecture) | (settings or {})).items():
        _add(writer, f"{architecture}.{key}", value)
    fields = byte_fields()
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    unused = (config["vocab_size"] - len(tokens)) * [int(gguf.TokenType.UNUSED)]
    fields["tokenizer.ggml.tokens"] = [*tokens, *(f"[unused {n}]" for n in range(len(unused)))]
    fields["tokenizer.ggml.token_type"] = [*kinds, *unused]
    for key, value in fields.items():
        _add(writer, key, value)
    for name, tensor in _tensors(case).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    match value:
        case bool():
            writer.add_bool(key, value)
        case int():
            (writer.add_uint32 if value >= 0 else writer.add_int32)(key, value)
        case float():
            writer.add_float32(key, value)
        case list():
            writer.add_array(key, value)
        case _:
            writer.add_string(key, value)


def _metadata(config: dict[str, Any], architecture: str) -> dict[str, Any]:
    def first(*names: str) -> Any:
        return next((config[name] for name in names if config.get(name) is not None), None)

    heads, width = first("num_attention_heads", "n_head"), first("hidden_size", "n_embd")
    size = first("head_dim") or width // heads
    rope = config.get("rope_parameters") or {}
    rope = rope.get("full_attention", rope)
    part = rope.get("partial_rotary_factor", 1.0)
    scaling = {"linear": "linear", "yarn": "yarn"}.get(rope.get("rope_type", ""))
    norm = "layer_norm_rms_epsilon" if "rms_norm_eps" in config else "layer_norm_epsilon"
    original = first("original_max_position_embeddings") or rope.get(
        "original_max_position_embeddings"
    )
    found = {
        "context_length": first("max_position_embeddings", "n_positions"),
        "embedding_length": width,
        "block_count": first("num_hidden_layers", "n_layer"),
        "feed_forward_length": first("intermediate_size", "n_inner") or 4 * width,
        "expert_count": first("num_local_experts", "num_experts"),
        "expert_used_count": first("num_experts_per_tok"),
        "expert_feed_forward_length": first("moe_intermediate_size"),
        "expert_shared_feed_forward_length": first("shared_expert_intermediate_size"),
        "attention.head_count": heads,
        "attention.head_count_kv": first("num_key_value_heads"),
        "attention.key_length": first("head_dim"),
        "attention.value_length": first("head_dim"),
        f"attention.{norm}": first("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon"),
        "rope.freq_base": rope.get("rope_theta"),
        "rope.dimension_count": int(size * part) if rope else None,
        "rope.scaling.type": scaling,
        "rope.scaling.factor": rope.get("factor"),
        "rope.scaling.original_context_length": original,
        "vocab_size": first("vocab_size"),
        "attention.scale": first("attention_multiplier"),
        "embedding_scale": first("embedding_multiplier"),
        "residual_scale": first("residual_multiplier"),
        "logit_scale": first("logits_scaling"),
        "attn_logit_softcapping": first("attn_logit_softcapping"),
        "final_logit_softcapping": first("final_logit_softcapping"),
        "use_parallel_residual": first("use_parallel_residual"),
    }
    if architecture in ("phi3", "gemma2", "gemma3"):
        found["attention.sliding_window"] = first("sliding_window")
    if "Olmo3ForCausalLM" in config["architectures"]:
        found["attention.sliding_window"] = first("sliding_window")
        types = first("layer_types")
        found["attention.sliding_window_pattern"] = [t == "sliding_attention" for t in types]
    if rope.get("rope_type") == "longrope":
        ratio = found["context_length"] / original
        found["rope.scaling.attn_factor"] = float((1 + np.log(ratio) / np.log(original)) ** 0.5)
        del found["rope.scaling.factor"]
    return {key: value for key, value in found.items() if value is not None}


def _tensors(case: str) -> dict[str, NDArray[np.float32]]:
    reference, architecture = references()[case], ARCHITECTURES[case]
    config = reference["config"]
    family, stored = FAMILIES[config["architectures"][0]], GGUF_FAMILIES[architecture]
    heads = config.get("num_attention_heads") or config["n_head"]
    shared = config.get("num_key_value_heads") or heads
    names = {family.names[part]: stored.names[part] for part in family.names}
    found: dict[str, Tensor] = {}
    stacked: dict[str, list[Tensor]] = {}
    for name, shape in reference["tensors"].items():
        tensor, target = weights(name, shape), name.removeprefix("transformer.")
        block, prefix = "", family.block.partition("{}")[0]
        if target.startswith(prefix) and target[len(prefix)].isdigit():
            block, _, target = target[len(prefix) :].partition(".")
        base, _, kind = target.rpartition(".")
        base, expert = _without_number(base)
        own = names[base]
        if block and family.transposed and tensor.dim() == 2:
            tensor = tensor.T.contiguous()
        if family.interleaved and own == "attn_qkv":
            tensor = tensor.unflatten(0, (heads, 3, -1)).transpose(0, 1).flatten(0, 2)
        if own.endswith("norm") and family.norm_offset:
            tensor = tensor + 1
        if not stored.halves and own in ("attn_q", "attn_k"):
            tensor = _permuted(tensor, heads if own == "attn_q" else shared)
        full = f"blk.{block}.{own}.{kind}" if block else f"{own}.{kind}"
        if own == "ffn_gate_inp_shexp":
            tensor = tensor[0]
        if expert is None:
            found[full] = tensor
        else:
            stacked.setdefault(full, []).append(tensor)
    found |= {full: torch.stack(tensors) for full, tensors in stacked.items()}
    rope = config.get("rope_parameters") or {}
    for length in ("short", "long"):
        if f"{length}_factor" in rope:
            factors = torch.tensor(rope[f"{length}_factor"])
            found[f"rope_factors_{length}.weight"] = factors
    return {name: tensor.numpy() for name, tensor in found.items()}


def _without_number(name: str) -> tuple[str, int | None]:
    """Return the name of an expert's tensor with `{}` for its number, and the number."""
    parts = name.split(".")
    number = next((part for part in parts if part.isdigit()), None)
    return (name, None) if number is None else (name.replace(number, "{}", 1), int(number))


def _permuted(tensor: Tensor, heads: int) -> Tensor:
    """Reorder rows as `LlamaModel.permute` in convert_hf_to_gguf.py does."""
    return tensor.unflatten(0, (heads, 2, -1)).transpose(1, 2).flatten(0, 2)
