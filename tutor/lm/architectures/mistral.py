"""Mistral (Jiang et al. 2023): Llama with a sliding window.

Each position attends only to the last few thousand positions. This limits the memory and the time
for long texts. Information from earlier positions can still arrive indirectly, layer by layer.
"""

from __future__ import annotations

from tutor.lm.architectures.family import Family, LayerTypes, Settings, changed, windows
from tutor.lm.config import Config


class MistralSettings(Settings, frozen=True, kw_only=True):
    """The settings of a Mistral model."""

    rms_norm_eps: float = 1e-6
    max_position_embeddings: int = 131_072
    sliding_window: int | None = 4096
    layer_types: LayerTypes | None = None

    def config(self) -> Config:
        config = super().config()
        if self.layer_types is not None:
            return changed(config, windows=windows(self.layer_types, self.sliding_window))
        if self.sliding_window is None:
            return config
        return changed(config, windows=(self.sliding_window,) * config.layers)


MISTRAL = Family(MistralSettings)
