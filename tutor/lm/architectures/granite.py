"""Granite (IBM 2024): Llama with four constants.

With the right constants, the best learning rate is the same for small and large models, so it can
be found with a small model (Yang et al. 2022, "maximal update parametrization").
"""

from __future__ import annotations

import math

from tutor.errors import ModelDamaged
from tutor.lm.architectures.family import Family, Settings, changed
from tutor.lm.config import Config


class GraniteSettings(Settings, frozen=True, kw_only=True):
    """The settings of a Granite model."""

    embedding_multiplier: float = 1.0  # scales the embeddings
    attention_multiplier: float = 1.0  # scales attention scores, instead of 1 / sqrt(head_size)
    residual_multiplier: float = 1.0  # scales what the blocks add to the residual stream
    logits_scaling: float = 1.0  # divides the logits

    def config(self) -> Config:
        return changed(super().config(), embedding_scale=self.embedding_multiplier)

    def multipliers(self) -> dict[str, float]:
        if not self.logits_scaling:
            raise ModelDamaged("logits_scaling is 0.")
        root = math.sqrt(self.config().head_size)
        return {
            "query": self.attention_multiplier * root,
            "output": self.residual_multiplier,
            "down": self.residual_multiplier,
            "norm": 1 / self.logits_scaling,
        }


GRANITE = Family(GraniteSettings)
