"""Compute logits of tiny models of every family with `transformers`, for the tests.

    python -m tests.lm.architectures.make_reference

needs `pip install -e '.[reference]'`, and writes `reference.json`: for each case the config.json
that transformers writes, the shapes of the tensors, and some logits. The weights are not stored.
`weights` computes them from the names of the tensors, in the same way for both sides.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

FILE = Path(__file__).parent / "reference.json"
IDS = [(37 * n + n * n) % 290 for n in range(48)]
POSITIONS = (0, 5, 20, 47)
EVERY = 9  # of the logits, only some are stored

_SIZES = {
    "vocab_size": 300,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": None,
}
_NEOX = {name: value for name, value in _SIZES.items() if name != "num_key_value_heads"} | {
    "hidden_size": 64
}
_GEMMA = {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 8}
_LONGROPE = {
    "rope_type": "longrope",
    "short_factor": [1.0, 1.5, 2.0, 3.0],
    "long_factor": [2.0, 3.0, 4.0, 6.0],
    "original_max_position_embeddings": 64,
}
_YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
_LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
_EXPERTS = {"num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 40}


def _sizes(**more: Any) -> dict[str, Any]:
    return _SIZES | more


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", _sizes(head_dim=16, rope_theta=500_000.0)),
    "llama with biases": ("Llama", _sizes(attention_bias=True, mlp_bias=True)),
    "llama with linear rope": (
        "Llama",
        _sizes(rope_scaling={"rope_type": "linear", "factor": 2.5}),
    ),
    "llama with dynamic rope": (
        "Llama",
        _sizes(rope_scaling={"rope_type": "dynamic", "factor": 2.0}),
    ),
    "llama with yarn rope": ("Llama", _sizes(rope_scaling=_YARN, rope_theta=1000.0)),
    "llama with llama3 rope": ("Llama", _sizes(rope_scaling=_LLAMA3, rope_theta=1000.0)),
    "mistral": ("Mistral", _sizes(sliding_window=8)),
    "mistral without a window": (
        "Mistral",
        _sizes(sliding_window=None, num_key_value_heads=4, tie_word_embeddings=True),
    ),
    "qwen2": ("Qwen2", _sizes()),
    "qwen2 with windows, tied, without groups": (
        "Qwen2",
        _sizes(
            use_sliding_window=True,
            sliding_window=8,
            max_window_layers=2,
            tie_word_embeddings=True,
            num_key_value_heads=4,
        ),
    ),
    "qwen3": ("Qwen3", _sizes(head_dim=16)),
    "qwen3 tied, without groups": (
        "Qwen3",
        _sizes(head_dim=8, tie_word_embeddings=True, num_key_value_heads=4),
    ),
    "smollm3": ("SmolLM3", _sizes()),
    "granite": (
        "Granite",
        _sizes(
            embedding_multiplier=3.0,
            attention_multiplier=0.125,
            residual_multiplier=0.5,
            logits_scaling=2.0,
            tie_word_embeddings=True,
        ),
    ),
    "phi3": ("Phi3", _sizes(hidden_size=64, sliding_window=8)),
    "phi3 with part of each head rotated": (
        "Phi3",
        _sizes(
            hidden_size=64,
            partial_rotary_factor=0.5,
            max_position_embeddings=256,
            original_max_position_embeddings=64,
            rope_scaling=_LONGROPE,
        ),
    ),
    "olmo2": ("Olmo2", _sizes()),
    "olmo3": (
        "Olmo3",
        _sizes(sliding_window=8, num_key_value_heads=4),
    ),
    "olmo3 with yarn rope": (
        "Olmo3",
        _sizes(
            sliding_window=8,
            rope_parameters={
                "full_attention": _YARN | {"rope_theta": 1000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 1000.0},
            },
        ),
    ),
    "gemma": ("Gemma", _sizes(head_dim=16)),
    "gemma2": (
        "Gemma2",
        _sizes(**_GEMMA, attn_logit_softcapping=2.0, final_logit_softcapping=3.0),
    ),
    "gemma3": ("Gemma3Text", _sizes(**_GEMMA, num_hidden_layers=7)),
    "gemma3 with linear rope": (
        "Gemma3Text",
        _sizes(
            **_GEMMA | {"query_pre_attn_scalar": 24},
            num_hidden_layers=7,
            num_key_value_heads=4,
            rope_parameters={
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
            },
        ),
    ),
    "gpt2": (
        "GPT2",
        {"vocab_size": 300, "n_embd": 48, "n_layer": 3, "n_head": 4, "n_positions": 64}
        | {"bos_token_id": None, "eos_token_id": None},
    ),
    "gpt-neox": ("GPTNeoX", _NEOX | {"rotary_pct": 0.25}),
    "gpt-neox without parallel blocks": (
        "GPTNeoX",
        _NEOX | {"use_parallel_residual": False, "rotary_pct": 1.0},
    ),
    "stablelm": ("StableLm", _sizes(hidden_size=64, use_qkv_bias=True)),
    "mixtral": ("Mixtral", _sizes(num_local_experts=4)),
    "mixtral with one of three experts, tied": (
        "Mixtral",
        _sizes(
            num_local_experts=3,
            num_experts_per_tok=1,
            tie_word_embeddings=True,
            num_key_value_heads=4,
            sliding_window=8,
        ),
    ),
    "qwen2 with experts": ("Qwen2Moe", _sizes(**_EXPERTS, shared_expert_intermediate_size=56)),
    "qwen2 with normalized experts, tied": (
        "Qwen2Moe",
        _sizes(
            **_EXPERTS | {"num_experts": 3, "num_experts_per_tok": 1},
            shared_expert_intermediate_size=24,
            norm_topk_prob=True,
            tie_word_embeddings=True,
            num_key_value_heads=4,
        ),
    ),
    "qwen3 with experts": ("Qwen3Moe", _sizes(**_EXPERTS, head_dim=16, norm_topk_prob=True)),
    "qwen3 with one of eight experts, tied": (
        "Qwen3Moe",
        _sizes(
            **_EXPERTS | {"num_experts": 8, "num_experts_per_tok": 1},
            head_dim=8,
            tie_word_embeddings=True,
            num_key_value_heads=4,
        ),
    ),
    "olmoe": ("Olmoe", _sizes(num_experts=8, num_experts_per_tok=3, num_key_value_heads=4)),
    "olmoe with normalized experts": (
        "Olmoe",
        _sizes(num_experts=4, num_experts_per_tok=2, norm_topk_prob=True),
    ),
}

_CLASSES = {"GPT2": "GPT2LMHeadModel", "Gemma3Text": "Gemma3ForCausalLM"}


def weights(name: str, shape: list[int]) -> Tensor:
    """Return the values of a tensor, which depend only on its name and shape."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    values = torch.from_numpy(random.standard_normal(shape).astype(np.float32))
    is_norm = len(shape) == 1 and name.endswith(".weight")
    return 1 + 0.3 * values if is_norm else 0.25 * values


def model_of(case: str) -> Any:
    """Return the model of a case in `transformers`."""
    import transformers

    kind, settings = CASES[case]
    config = getattr(transformers, f"{kind}Config")(**settings)
    config._attn_implementation = "eager"
    made = getattr(transformers, _CLASSES.get(kind, f"{kind}ForCausalLM"))(config).eval()
    with torch.no_grad():
        for name, tensor in stored_tensors(made):
            tensor.copy_(weights(name, list(tensor.shape)))
    return made


def stored_tensors(model: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters under the names under which transformers saves them.

    transformers computes with the matrices of all experts in one tensor, and saves one by one.
    """
    for name, tensor in model.named_parameters():
        if name.endswith((".gate_up_proj", ".down_proj")):
            yield from _by_expert(model, name, tensor)
        elif "Mixtral" in type(model).__name__:
            yield name.replace(".mlp.", ".block_sparse_moe."), tensor
        elif "NeoX" in type(model).__name__ and "lm_head" in name:
            yield "embed_out.weight", tensor
        else:
            yield name, tensor


def _by_expert(model: Any, name: str, stacked: Tensor) -> Iterator[tuple[str, Tensor]]:
    names = {"gate": "gate_proj", "up": "up_proj", "down": "down_proj"}
    if "Mixtral" in type(model).__name__:
        names = {"gate": "w1", "up": "w3", "down": "w2"}
        name = name.replace(".mlp.", ".block_sparse_moe.")
    folder, _, matrix = name.rpartition(".")
    parts = matrix.removesuffix("_proj").split("_")
    for expert, both in enumerate(stacked):
        for part, tensor in zip(parts, both.chunk(len(parts)), strict=True):
            yield f"{folder}.{expert}.{names[part]}.weight", tensor


@torch.inference_mode()
def logits_of(model: Any, ids: list[int]) -> Tensor:
    return model(torch.tensor([ids])).logits[0].float()


def main() -> None:
    found = {}
    for case in CASES:
        model = model_of(case)
        config = json.loads(model.config.to_json_string())
        config["architectures"] = [type(model).__name__]
        rows = logits_of(model, IDS)
        found[case] = {
            "config": config,
            "tensors": {name: list(tensor.shape) for name, tensor in stored_tensors(model)},
            "logits": [[round(v, 5) for v in rows[at, ::EVERY].tolist()] for at in POSITIONS],
            "totals": [round(float(rows[at].logsumexp(0)), 5) for at in POSITIONS],
        }
    FILE.write_text(
        "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items()) + "\n}\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
