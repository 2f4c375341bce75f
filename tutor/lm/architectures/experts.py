"""Mixtures of experts: Mixtral, Qwen2-MoE, Qwen3-MoE and OLMoE.

Each family takes the architecture of another family, and replaces each feed-forward network with a
mixture of experts:

    Mixtral      Mistral    Jiang et al. 2024
    Qwen2-MoE    Qwen2      Yang et al. 2024
    Qwen3-MoE    Qwen3      Yang et al. 2025
    OLMoE        Llama      Muennighoff et al. 2024, with normalized queries and keys

A router chooses a few of the experts for each token, so a model has many more parameters than it
uses for one token. The output is a weighted sum of the outputs of the chosen experts. The families
differ in the number of experts. In Mixtral and Qwen3-MoE, the weights in this sum are scaled so
that they sum to 1. Qwen2-MoE also has a shared expert, which processes every token.
"""

from __future__ import annotations

import msgspec

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.architectures.family import NAMES, Family, Settings, changed
from tutor.lm.architectures.mistral import MistralSettings
from tutor.lm.architectures.qwen import HEAD_NORMS, Qwen2Settings, Qwen3Settings
from tutor.lm.config import Config

_MOST_EXPERTS = 1024
"""The maximum number of experts in a block. Qwen3-MoE has 128."""


class MixtralSettings(MistralSettings, frozen=True, kw_only=True):
    """The settings of a Mixtral model."""

    rms_norm_eps: float = 1e-5
    sliding_window: int | None = None
    num_experts: int = msgspec.field(name="num_local_experts", default=8)
    num_experts_per_tok: int = 2

    def config(self) -> Config:
        return with_experts(super().config(), self.num_experts, self.num_experts_per_tok)


class Qwen2MoeSettings(Qwen2Settings, frozen=True, kw_only=True):
    """The settings of a Qwen2-MoE model, such as Qwen1.5-MoE-A2.7B."""

    num_experts: int = 60
    num_experts_per_tok: int = 4
    norm_topk_prob: bool = False
    moe_intermediate_size: int = 1408
    shared_expert_intermediate_size: int = 5632
    qkv_bias: bool = True
    decoder_sparse_step: int = 1
    mlp_only_layers: tuple[int, ...] = ()

    def config(self) -> Config:
        require_experts_everywhere(self.decoder_sparse_step, self.mlp_only_layers)
        return changed(
            with_experts(super().config(), self.num_experts, self.num_experts_per_tok),
            hidden=self.moe_intermediate_size,
            shared_hidden=self.shared_expert_intermediate_size,
            normalized_experts=self.norm_topk_prob,
            query_key_value_bias=self.qkv_bias,
        )


class Qwen3MoeSettings(Qwen3Settings, frozen=True, kw_only=True):
    """The settings of a Qwen3-MoE model."""

    head_dim: int | None = None
    num_experts: int = 128
    num_local_experts: int | None = None  # the name of `num_experts` in transformers 5
    num_experts_per_tok: int = 8
    norm_topk_prob: bool = False
    moe_intermediate_size: int = 768
    decoder_sparse_step: int = 1
    mlp_only_layers: tuple[int, ...] = ()

    def config(self) -> Config:
        require_experts_everywhere(self.decoder_sparse_step, self.mlp_only_layers)
        experts = self.num_local_experts or self.num_experts
        return changed(
            with_experts(super().config(), experts, self.num_experts_per_tok),
            hidden=self.moe_intermediate_size,
            normalized_experts=self.norm_topk_prob,
        )


class OlmoeSettings(Settings, frozen=True, kw_only=True):
    """The settings of an OLMoE model."""

    rms_norm_eps: float = 1e-5
    max_position_embeddings: int = 4096
    num_experts: int = 64
    num_experts_per_tok: int = 8
    norm_topk_prob: bool = False

    def config(self) -> Config:
        return changed(
            with_experts(super().config(), self.num_experts, self.num_experts_per_tok),
            normalized_experts=self.norm_topk_prob,
            query_key_norm="all",
        )


def with_experts(config: Config, experts: int, used: int) -> Config:
    """Return the configuration with `experts` experts per block, `used` of which process a token.

    Raises `ModelDamaged` if the numbers are impossible or too large. The loader makes a table of
    all tensors, which would use up all memory if there were a huge number of experts. Raises
    `ModelUnsupported` for experts with biases, which no family has.
    """
    if config.feed_forward_bias:
        raise ModelUnsupported("the experts have biases.", "Use another model.")
    if not 1 <= used <= experts <= _MOST_EXPERTS:
        raise ModelDamaged(f"a router cannot choose {used} of {experts} experts.")
    return changed(config, experts=experts, experts_used=used)


def require_experts_everywhere(step: int, without: tuple[int, ...]) -> None:
    """Raise `ModelUnsupported` if only some of the blocks have experts.

    Every `step`-th block has experts, except for the blocks in `without`.
    """
    if step != 1 or without:
        raise ModelUnsupported(
            "only some of the blocks have experts.",
            "Use a model in which every block has experts, or none has.",
        )


def _expert_names(router: str, experts: str, gate: str, up: str, down: str) -> dict[str, str]:
    """Return the tensor names of a mixture of experts, with `{}` in place of an expert's number."""
    own = {name: NAMES[name] for name in NAMES if name not in ("gate", "up", "down")}
    return own | {
        "router": router,
        "expert_gate": f"{experts}.{gate}",
        "expert_up": f"{experts}.{up}",
        "expert_down": f"{experts}.{down}",
    }


_NAMES = _expert_names("mlp.gate", "mlp.experts.{}", "gate_proj", "up_proj", "down_proj")
_SHARED = {
    "shared_router": "mlp.shared_expert_gate",
    "shared_gate": "mlp.shared_expert.gate_proj",
    "shared_up": "mlp.shared_expert.up_proj",
    "shared_down": "mlp.shared_expert.down_proj",
}

MIXTRAL = Family(
    MixtralSettings,
    _expert_names("block_sparse_moe.gate", "block_sparse_moe.experts.{}", "w1", "w3", "w2"),
)
QWEN2_MOE = Family(Qwen2MoeSettings, _NAMES | _SHARED)
QWEN3_MOE = Family(Qwen3MoeSettings, _NAMES | HEAD_NORMS)
OLMOE = Family(OlmoeSettings, _NAMES | HEAD_NORMS)
