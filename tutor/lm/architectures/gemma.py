"""Gemma, Gemma 2 and Gemma 3 (Gemma Team 2024, 2025).

All three multiply the embeddings by the square root of the width, and use GELU as the activation
function. They store each norm weight w as w - 1, so that the stored weights start at 0 in training.

Gemma 2 and 3 also normalize what a block adds to the residual stream, and alternate between layers
that attend to all positions and layers with a sliding window. Gemma 2 caps attention scores and
logits; Gemma 3 normalizes queries and keys instead. In Gemma 3, five of every six layers have a
window, and these layers use higher rotation frequencies.
"""

from __future__ import annotations

import math

from tutor.errors import ModelDamaged
from tutor.lm.architectures.family import (
    NAMES,
    Activation,
    Family,
    LayerTypes,
    Settings,
    changed,
    windows,
)
from tutor.lm.architectures.qwen import HEAD_NORMS
from tutor.lm.config import Config


class GemmaSettings(Settings, frozen=True, kw_only=True):
    """The settings of a model of the first Gemma generation."""

    hidden_act: str = "gelu_pytorch_tanh"
    hidden_activation: str | None = None
    head_dim: int | None = 256
    max_position_embeddings: int = 8192
    tie_word_embeddings: bool = True

    def config(self) -> Config:
        return changed(super().config(), embedding_scale=math.sqrt(self.hidden_size))

    def activation(self) -> Activation:
        found = super().activation()
        # Early Gemma files say "gelu", but the models were trained with the tanh approximation.
        return "gelu-tanh" if found == "gelu" else found


class Gemma2Settings(GemmaSettings, frozen=True, kw_only=True):
    """The settings of a Gemma 2 model."""

    sliding_window: int | None = 4096
    layer_types: LayerTypes | None = None
    query_pre_attn_scalar: float = 256.0
    attn_logit_softcapping: float | None = 50.0
    final_logit_softcapping: float | None = 30.0

    def config(self) -> Config:
        config = super().config()
        return changed(
            config,
            norm_after=True,
            score_cap=self.attn_logit_softcapping,
            logit_cap=self.final_logit_softcapping,
            windows=self.layer_windows(2),
        )

    def layer_windows(self, interval: int) -> tuple[int | None, ...]:
        """Return the window size of each layer, or None for full attention.

        If config.json lists no layer types, every `interval`-th layer has full attention.
        """
        if self.layer_types is not None:
            return windows(self.layer_types, self.sliding_window)
        layers = range(1, self.num_hidden_layers + 1)
        return tuple(self.sliding_window if layer % interval else None for layer in layers)

    def multipliers(self) -> dict[str, float]:
        return {"query": self.query_factor()}

    def query_factor(self) -> float:
        """Return the factor by which queries are scaled in addition to 1 / sqrt(head_size)."""
        if self.query_pre_attn_scalar <= 0:
            raise ModelDamaged("query_pre_attn_scalar is not above 0.")
        return math.sqrt(self.config().head_size / self.query_pre_attn_scalar)


class Gemma3Settings(Gemma2Settings, frozen=True, kw_only=True):
    """The settings of the text model of Gemma 3."""

    max_position_embeddings: int = 131_072
    attn_logit_softcapping: float | None = None
    final_logit_softcapping: float | None = None
    rope_theta: float = 1_000_000.0
    rope_local_base_freq: float = 10_000.0
    sliding_window_pattern: int = 6

    def config(self) -> Config:
        local = self.rope("sliding_attention").rope_theta if self.rope_parameters else None
        return changed(
            super().config(),
            query_key_norm="head",
            windows=self.layer_windows(max(1, self.sliding_window_pattern)),
            local_rope_base=local or self.rope_local_base_freq,
        )

    def multipliers(self) -> dict[str, float]:
        return {"query_norm": self.query_factor()}


_BOTH = {
    "attention_output_norm": "post_attention_layernorm",
    "feed_forward_norm": "pre_feedforward_layernorm",
    "feed_forward_output_norm": "post_feedforward_layernorm",
}

GEMMA = Family(GemmaSettings, norm_offset=1.0)
GEMMA2 = Family(Gemma2Settings, NAMES | _BOTH, norm_offset=1.0)
GEMMA3 = Family(Gemma3Settings, NAMES | _BOTH | HEAD_NORMS, norm_offset=1.0)
