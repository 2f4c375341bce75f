"""Phi-3 and Phi-4-mini (Abdin et al. 2024): Llama with concatenated matrices.

One matrix computes queries, keys and values, and one computes gate and up, as in our own network.
Phi-4-mini rotates only three quarters of each head.
"""

from __future__ import annotations

import msgspec

from tutor.lm.architectures.family import NAMES, Family, Settings, changed
from tutor.lm.architectures.rope import RopeSettings
from tutor.lm.config import Config


class Phi3Settings(Settings, frozen=True, kw_only=True):
    """The settings of a Phi-3 or Phi-4-mini model."""

    rms_norm_eps: float = 1e-5
    max_position_embeddings: int = 4096
    original_max_position_embeddings: int | None = None
    sliding_window: int | None = None

    def config(self) -> Config:
        config = super().config()
        if self.sliding_window is None:
            return config
        return changed(config, windows=(self.sliding_window,) * config.layers)

    def rope(self, layer_type: str = "full_attention") -> RopeSettings:
        rope = super().rope(layer_type)
        if rope.kind == "default" or rope.original_max_position_embeddings is not None:
            return rope
        original = self.original_max_position_embeddings
        return msgspec.structs.replace(
            rope,
            rope_type="longrope",  # early files call it "su" or "yarn"
            original_max_position_embeddings=original,
        )


_PRODUCT, _GATE_UP = "self_attn.qkv_proj", "mlp.gate_up_proj"

PHI3 = Family(
    Phi3Settings,
    NAMES
    | {"query": _PRODUCT, "key": _PRODUCT, "value": _PRODUCT}
    | {"gate": _GATE_UP, "up": _GATE_UP},
)
