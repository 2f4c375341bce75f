"""Qwen2 (Yang et al. 2024) and Qwen3 (Yang et al. 2025).

Qwen2 and Qwen2.5 have the same architecture. They add a learned vector to queries, keys and values,
which helps with texts that are longer than the training texts. Qwen3 does not add these vectors.
Instead, it normalizes the queries and the keys of each head, which keeps attention scores from
growing during training.
"""

from __future__ import annotations

from tutor.lm.architectures.family import NAMES, Family, LayerTypes, Settings, changed, windows
from tutor.lm.config import Config


class QwenSettings(Settings, frozen=True, kw_only=True):
    """The settings that Qwen2 and Qwen3 have in common."""

    max_position_embeddings: int = 32_768
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    max_window_layers: int = 28
    layer_types: LayerTypes | None = None

    def config(self) -> Config:
        config = super().config()
        window = self.sliding_window if self.use_sliding_window else None
        if self.layer_types is not None:
            return changed(config, windows=windows(self.layer_types, window))
        if window is None:
            return config
        first = min(self.max_window_layers, config.layers)
        later = (window,) * (config.layers - first)
        return changed(config, windows=(None,) * first + later)


class Qwen2Settings(QwenSettings, frozen=True, kw_only=True):
    """The settings of a Qwen2 model."""

    def config(self) -> Config:
        return changed(super().config(), query_key_value_bias=True)


class Qwen3Settings(QwenSettings, frozen=True, kw_only=True):
    """The settings of a Qwen3 model."""

    head_dim: int | None = 128

    def config(self) -> Config:
        return changed(super().config(), query_key_norm="head")


HEAD_NORMS = {"query_norm": "self_attn.q_norm", "key_norm": "self_attn.k_norm"}

QWEN2 = Family(Qwen2Settings)
QWEN3 = Family(Qwen3Settings, NAMES | HEAD_NORMS)
