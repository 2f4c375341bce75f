"""Convert the metadata of a GGUF file to the settings of a model family.

The metadata contains the sizes and constants of the model, under keys such as
`qwen2.attention.head_count`. A GGUF file does not store values that are the same in all models of a
family. This module contains these values. They are taken from the source code of llama.cpp, which
defined the format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.architectures.experts import (
    MixtralSettings,
    OlmoeSettings,
    Qwen2MoeSettings,
    Qwen3MoeSettings,
)
from tutor.lm.architectures.family import Settings
from tutor.lm.architectures.gemma import Gemma2Settings, Gemma3Settings, GemmaSettings
from tutor.lm.architectures.gpt2 import GPT2Settings
from tutor.lm.architectures.gpt_neox import GPTNeoXSettings
from tutor.lm.architectures.granite import GraniteSettings
from tutor.lm.architectures.olmo import Olmo2Settings, Olmo3Settings
from tutor.lm.architectures.phi3 import Phi3Settings
from tutor.lm.architectures.qwen import Qwen2Settings, Qwen3Settings
from tutor.lm.architectures.smollm3 import SmolLM3Settings
from tutor.lm.architectures.stablelm import StableLMSettings
from tutor.lm.formats.gguf_header import Fields
from tutor.lm.formats.soundness import default_head_size, require_sizes
from tutor.text import safe

NAMES = {
    "embedding": "token_embd",
    "positions": "position_embd",
    "norm": "output_norm",
    "head": "output",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "query_norm": "attn_q_norm",
    "key_norm": "attn_k_norm",
    "output": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
    "attention_norm": "attn_norm",
    "attention_output_norm": "post_attention_norm",
    "feed_forward_norm": "ffn_norm",
    "feed_forward_output_norm": "post_ffw_norm",
    "router": "ffn_gate_inp",
    "expert_gate": "ffn_gate_exps",
    "expert_up": "ffn_up_exps",
    "expert_down": "ffn_down_exps",
    "shared_router": "ffn_gate_inp_shexp",
    "shared_gate": "ffn_gate_shexp",
    "shared_up": "ffn_up_shexp",
    "shared_down": "ffn_down_shexp",
}
"""Maps the part names of `tutor.lm.formats.source` to the names of these parts in a GGUF file."""

_ONE_PRODUCT = {"query": "attn_qkv", "key": "attn_qkv", "value": "attn_qkv"}


class GgufFamily(NamedTuple):
    """A model family, and how GGUF files store its models.

    If `halves` is True, the rotary embedding pairs dimension i of a head's first half with
    dimension i of its second half, as in `transformers`. Otherwise, it pairs neighboring
    dimensions, as our rotary embedding does.
    """

    settings: type[Settings]
    names: Mapping[str, str] = NAMES
    halves: bool = True


FAMILIES = {
    "llama": GgufFamily(Settings, halves=False),  # including Mistral
    "qwen2": GgufFamily(Qwen2Settings),
    "qwen3": GgufFamily(Qwen3Settings),
    "smollm3": GgufFamily(SmolLM3Settings, halves=False),
    "granite": GgufFamily(GraniteSettings, halves=False),
    "phi3": GgufFamily(Phi3Settings, NAMES | _ONE_PRODUCT | {"gate": "ffn_up"}),
    "olmo2": GgufFamily(Olmo2Settings),
    "gemma": GgufFamily(GemmaSettings),
    "gemma2": GgufFamily(Gemma2Settings),
    "gemma3": GgufFamily(Gemma3Settings),
    "gpt2": GgufFamily(GPT2Settings, NAMES | _ONE_PRODUCT),
    "gptneox": GgufFamily(GPTNeoXSettings, NAMES | _ONE_PRODUCT),
    "stablelm": GgufFamily(StableLMSettings),
    "qwen2moe": GgufFamily(Qwen2MoeSettings),
    "qwen3moe": GgufFamily(Qwen3MoeSettings),
    "olmoe": GgufFamily(OlmoeSettings),
}

# Maps metadata keys, without the name of the architecture, to the fields of `Settings`.
_WHOLE_NUMBERS = {
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.sliding_window": "sliding_window",
    "expert_count": "num_experts",
    "expert_used_count": "num_experts_per_tok",
    "expert_feed_forward_length": "moe_intermediate_size",
    "expert_shared_feed_forward_length": "shared_expert_intermediate_size",
}
_NUMBERS = {
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "attention.layer_norm_epsilon": "rms_norm_eps",
    "rope.freq_base": "rope_theta",
    "rope.freq_base_swa": "rope_local_base_freq",
    "attention.scale": "attention_multiplier",
    "embedding_scale": "embedding_multiplier",
    "residual_scale": "residual_multiplier",
    "logit_scale": "logits_scaling",
    "attn_logit_softcapping": "attn_logit_softcapping",
    "final_logit_softcapping": "final_logit_softcapping",
}
_REQUIRED = ("context_length", "embedding_length", "block_count", "attention.head_count")
_ROPE = {
    "rope.scaling.factor": "factor",
    "rope.scaling.attn_factor": "attention_factor",
    "rope.scaling.yarn_attn_factor": "attention_factor",
    "rope.scaling.yarn_beta_fast": "beta_fast",
    "rope.scaling.yarn_beta_slow": "beta_slow",
}
# Other keys, which are read separately or don't affect the computation.
_OTHERS = (
    "attention.causal",
    "attention.value_length",
    "rope.dimension_count",
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "rope.scaling.type",
    "tensor_data_layout",
    "use_parallel_residual",
    "vocab_size",
)


def read_settings(fields: Fields, tensors: Mapping[str, Any]) -> tuple[GgufFamily, Settings]:
    """Return the family of the model in a GGUF file, and its settings.

    The keys of `tensors` are the names of all tensors. Raises `ModelUnsupported` for an unknown
    architecture or an unknown key, and `ModelDamaged` for a value of the wrong type.
    """
    name = fields.text("general.architecture", "none")
    if name not in FAMILIES:
        raise ModelUnsupported(
            f"the architecture {safe(name)[:60]!r} is not supported.",
            f"Use a model with one of these architectures: {', '.join(FAMILIES)}.",
        )
    family = _family(fields, name)
    known = {each.name for each in msgspec.structs.fields(family.settings)}
    _require_known(fields, name, known)
    values = _values(fields, name)
    heads = values["num_attention_heads"]
    width = values["hidden_size"]
    size = values.get("head_dim") or default_head_size(width, heads)
    require_sizes(width=width, layers=values["num_hidden_layers"], head_size=size)
    rotated = fields.whole_number(f"{name}.rope.dimension_count", size)
    values["head_dim"] = size
    if fields.whole_number(f"{name}.attention.value_length", size) != size:
        raise ModelUnsupported("values are longer than keys.", "Use another model.")
    values["partial_rotary_factor"] = rotated / size
    values["rope_scaling"] = _rope(fields, name)
    values["vocab_size"] = 0  # replaced by the size of the embedding table
    values["tie_word_embeddings"] = "output.weight" not in tensors
    values |= _of_family(fields, name, tensors, values)
    return family, family.settings(**{key: v for key, v in values.items() if key in known})


def _family(fields: Fields, name: str) -> GgufFamily:
    """Return the family of the architecture `name`.

    Mixtral files also have the name "llama", and OLMo 3 files the name "olmo2". Other fields show
    which of the two families it is.
    """
    family = FAMILIES[name]
    if name == "llama" and fields.whole_number("llama.expert_count", 0):
        return family._replace(settings=MixtralSettings)
    if name == "olmo2" and fields.whole_number("olmo2.attention.sliding_window", 0):
        return family._replace(settings=Olmo3Settings)
    return family


def _values(fields: Fields, name: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, field in _WHOLE_NUMBERS.items():
        if f"{name}.{key}" in fields or key in _REQUIRED:
            values[field] = fields.whole_number(f"{name}.{key}")
    for key, field in _NUMBERS.items():
        if f"{name}.{key}" in fields:
            values[field] = fields.number(f"{name}.{key}")
    values.setdefault("intermediate_size", 0)
    if not values["num_attention_heads"]:
        raise ModelDamaged("the model has no attention heads.")
    return values


def _require_known(fields: Fields, name: str, known: set[str]) -> None:
    """Raise `ModelUnsupported` for a key that we don't know, unless its value is 0 or empty."""
    understood = {key for key, field in (_WHOLE_NUMBERS | _NUMBERS).items() if field in known}
    understood.update(_ROPE, _OTHERS)
    if "layer_types" in known:
        understood.add("attention.sliding_window_pattern")
    if name == "olmo2":
        understood.add("rope.freq_base_swa")
    for full in fields:
        prefix, _, key = full.partition(".")
        if prefix == name and key not in understood and fields[full]:
            raise ModelUnsupported(
                f"the file has the setting {safe(full)[:80]!r}, which tutor does not know. "
                "The results could be wrong without it.",
                "Use another model, or ask us to support this one.",
            )


def _rope(fields: Fields, name: str) -> dict[str, Any] | None:
    kind = fields.text(f"{name}.rope.scaling.type", "none")
    if kind == "none":
        return None
    found: dict[str, Any] = {"rope_type": kind}
    for key, field in _ROPE.items():
        if f"{name}.{key}" in fields:
            found[field] = fields.number(f"{name}.{key}")
    original = f"{name}.rope.scaling.original_context_length"
    if original in fields:
        found["original_max_position_embeddings"] = fields.whole_number(original)
    return found


def _of_family(
    fields: Fields, name: str, tensors: Mapping[str, Any], values: dict[str, Any]
) -> dict[str, Any]:
    """Return the settings that some files store under different names, or don't store at all."""
    found: dict[str, Any] = {}
    size = values["head_dim"]
    biased = "blk.0.attn_q.bias" in tensors
    if name in ("llama", "granite", "smollm3", "qwen3", "olmo2"):
        found["attention_bias"] = biased
        found["mlp_bias"] = "blk.0.ffn_up.bias" in tensors
    if name == "stablelm":
        found["use_qkv_bias"] = biased
        found["qk_layernorm"] = "blk.0.attn_q_norm.weight" in tensors
    if name in ("stablelm", "gptneox"):
        found["use_parallel_residual"] = _flag(fields, f"{name}.use_parallel_residual")
    if name == "gptneox":
        found |= {"rotary_pct": values["partial_rotary_factor"]}
        found |= {"rotary_emb_base": values.get("rope_theta", 10_000.0)}
    if name == "granite":
        found["attention_multiplier"] = values.get("attention_multiplier") or size**-0.5
    if name == "gpt2":
        found["n_inner"] = values["intermediate_size"] or None
    if name == "phi3":
        original = fields.whole_number("phi3.rope.scaling.original_context_length", 0)
        found["original_max_position_embeddings"] = original or None
    if name == "qwen3moe":  # llama.cpp does not normalize the weights in qwen2moe and olmoe
        found["norm_topk_prob"] = True
    if (pattern := f"{name}.attention.sliding_window_pattern") in fields:
        found["layer_types"] = _layer_types(fields, pattern, values["num_hidden_layers"])
    if name == "olmo2" and (local := f"{name}.rope.freq_base_swa") in fields:
        near = {"rope_theta": fields.number(local)}
        usual = values["rope_scaling"] or {"rope_type": "default"}
        found["rope_parameters"] = {"full_attention": usual, "sliding_attention": near}
    if name in ("gemma2", "gemma3"):
        # Only the largest models use width / heads instead of the head size.
        largest = values["num_hidden_layers"] in (46, 62)
        width = values["hidden_size"] / values["num_attention_heads"]
        found["query_pre_attn_scalar"] = width if largest else float(values["head_dim"])
    return found


def _layer_types(fields: Fields, key: str, layers: int) -> tuple[str, ...]:
    """Return the type of each layer, as named in `layer_types` of config.json.

    The field is either a list of Booleans, which are true for layers with a sliding window, or a
    number n. In the second case, every n-th layer has full attention.
    """
    pattern = fields[key]
    if isinstance(pattern, int) and pattern > 0:
        pattern = [layer % pattern < pattern - 1 for layer in range(layers)]
    if not (isinstance(pattern, list) and all(isinstance(each, bool) for each in pattern)):
        raise ModelDamaged(f"the field {key} does not say which layers use a sliding window.")
    return tuple("sliding_attention" if each else "full_attention" for each in pattern)


def _flag(fields: Fields, key: str) -> bool:
    value = fields.get(key, True)
    if not isinstance(value, bool):
        raise ModelDamaged(f"the field {key} is not true or false.")
    return value
