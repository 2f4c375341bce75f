"""GPT-NeoX and Pythia (Black et al. 2022, Biderman et al. 2023): a step from GPT-2 toward Llama.

Attention and the feed-forward network of a block have the same input, so that both can be computed
at the same time. Only a quarter of each head is rotated. As in GPT-2, the norms are LayerNorms, the
matrices have biases, and the feed-forward network has no gate.
"""

from __future__ import annotations

import msgspec

from tutor.lm.architectures.family import Family, Settings, changed
from tutor.lm.config import Config


class GPTNeoXSettings(Settings, frozen=True, kw_only=True):
    """The settings of a GPT-NeoX model."""

    hidden_act: str = "gelu"
    rms_norm_eps: float = msgspec.field(name="layer_norm_eps", default=1e-5)
    attention_bias: bool = True
    use_parallel_residual: bool = True
    # Version 4 of transformers writes these two fields instead of `rope_parameters`.
    rotary_pct: float = 0.25
    rotary_emb_base: float = 10_000.0

    def config(self) -> Config:
        as_now = (
            self
            if self.rope_parameters
            else msgspec.structs.replace(
                self, partial_rotary_factor=self.rotary_pct, rope_theta=self.rotary_emb_base
            )
        )
        return changed(
            Settings.config(as_now),
            layer_norm=True,
            parallel=self.use_parallel_residual,
            gated=False,
            feed_forward_bias=True,
        )


GPT_NEOX = Family(
    GPTNeoXSettings,
    {
        "embedding": "gpt_neox.embed_in",
        "norm": "gpt_neox.final_layer_norm",
        "head": "embed_out",
        "query": "attention.query_key_value",
        "key": "attention.query_key_value",
        "value": "attention.query_key_value",
        "output": "attention.dense",
        "up": "mlp.dense_h_to_4h",
        "down": "mlp.dense_4h_to_h",
        "attention_norm": "input_layernorm",
        "feed_forward_norm": "post_attention_layernorm",
    },
    block="gpt_neox.layers.{}.",
    interleaved=True,
)
