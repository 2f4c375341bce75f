"""OLMo 2 and 3 (OLMo Team 2024, 2025): Llama with its norms in different places.

A block normalizes the output of attention and of the feed-forward network instead of their input.
The queries of all heads are normalized together, and so are the keys. Both changes make training
more stable. OLMo 3 adds a sliding window in three of every four layers.
"""

from __future__ import annotations

from tutor.lm.architectures.family import NAMES, Family, LayerTypes, Settings, changed, windows
from tutor.lm.architectures.qwen import HEAD_NORMS
from tutor.lm.config import Config


class Olmo2Settings(Settings, frozen=True, kw_only=True):
    """The settings of an OLMo 2 model."""

    rms_norm_eps: float = 1e-5

    def config(self) -> Config:
        return changed(super().config(), norm_before=False, norm_after=True, query_key_norm="all")


class Olmo3Settings(Olmo2Settings, frozen=True, kw_only=True):
    """The settings of an OLMo 3 model.

    RoPE scaling applies only to full-attention layers, which have no sliding window.
    """

    sliding_window: int | None = 4096
    layer_types: LayerTypes | None = None

    def config(self) -> Config:
        config, types = super().config(), self.layer_types
        if types is None:
            period = (*["sliding_attention"] * 3, "full_attention")
            types = tuple(period[layer % 4] for layer in range(config.layers))
        base = self.rope("sliding_attention").rope_theta or self.rope_theta
        near = windows(types, self.sliding_window)
        return changed(config, windows=near, local_rope_base=base)


_NAMES = {name: NAMES[name] for name in NAMES if not name.endswith("_norm")} | {
    "attention_output_norm": "post_attention_layernorm",
    "feed_forward_output_norm": "post_feedforward_layernorm",
    **HEAD_NORMS,
}

OLMO2 = Family(Olmo2Settings, _NAMES)
OLMO3 = Family(Olmo3Settings, _NAMES)
