"""SmolLM3 (Bakouch et al. 2025): Llama without rotary embedding in every fourth layer.

In a layer without rotary embedding, attention scores don't depend on how far apart two tokens are.
This helps with long texts (Yang et al. 2025, "RoPE to NoPE and back again").
"""

from __future__ import annotations

from tutor.lm.architectures.family import Family, LayerTypes, Settings, changed, windows
from tutor.lm.config import Config


class SmolLM3Settings(Settings, frozen=True, kw_only=True):
    """The settings of a SmolLM3 model. `no_rope_layers` has a 0 for a layer without rotation."""

    max_position_embeddings: int = 32_768
    tie_word_embeddings: bool = True
    rope_theta: float = 2_000_000.0
    no_rope_layers: tuple[int, ...] | None = None
    no_rope_layer_interval: int = 4
    use_sliding_window: bool = False
    sliding_window: int | None = None
    layer_types: LayerTypes = ()

    def config(self) -> Config:
        config = super().config()
        interval = max(1, self.no_rope_layer_interval)
        with_rope = self.no_rope_layers or [
            (layer + 1) % interval for layer in range(config.layers)
        ]
        unrotated = tuple(layer for layer, rotated in enumerate(with_rope) if not rotated)
        window = self.sliding_window if self.use_sliding_window else None
        return changed(config, unrotated=unrotated, windows=windows(self.layer_types, window))


SMOLLM3 = Family(SmolLM3Settings)
