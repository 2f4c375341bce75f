"""StableLM 2 (Bellagente et al. 2024): Llama with LayerNorm, and a quarter of each head rotated."""

from __future__ import annotations

import msgspec

from tutor.errors import ModelUnsupported
from tutor.lm.architectures.family import Family, Settings, changed
from tutor.lm.config import Config


class StableLMSettings(Settings, frozen=True, kw_only=True):
    """The settings of a StableLM model."""

    rms_norm_eps: float = msgspec.field(name="layer_norm_eps", default=1e-5)
    max_position_embeddings: int = 4096
    partial_rotary_factor: float = 0.25
    use_qkv_bias: bool = False
    qk_layernorm: bool = False
    use_parallel_residual: bool = False

    def config(self) -> Config:
        if self.qk_layernorm or self.use_parallel_residual:
            raise ModelUnsupported(
                "the model has a separate norm for each head, or one norm for both parts of a "
                "block, as only StableLM 2 12B has.",
                "Use the StableLM model with 1.6B or 3B.",
            )
        return changed(super().config(), layer_norm=True, query_key_value_bias=self.use_qkv_bias)


STABLELM = Family(StableLMSettings)
