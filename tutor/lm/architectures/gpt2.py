"""GPT-2 (Radford et al. 2019), which has an older architecture than Llama.

A second table has a learned vector for each position; queries and keys are not rotated. The norms
are LayerNorms. The feed-forward network has no gate, and its activation function is GELU. Every
matrix of a block has a bias. `transformers` stores these matrices transposed.
"""

from __future__ import annotations

import msgspec

from tutor.errors import ModelUnsupported
from tutor.lm.architectures.family import Family, Settings, changed
from tutor.lm.config import Config


class GPT2Settings(Settings, frozen=True, kw_only=True):
    """The settings of a GPT-2 model. Their names differ from the names in later families."""

    vocab_size: int = 50_257
    hidden_size: int = msgspec.field(name="n_embd", default=768)
    num_hidden_layers: int = msgspec.field(name="n_layer", default=12)
    num_attention_heads: int = msgspec.field(name="n_head", default=12)
    max_position_embeddings: int = msgspec.field(name="n_positions", default=1024)
    intermediate_size: int = 0
    n_inner: int | None = None
    hidden_act: str = msgspec.field(name="activation_function", default="gelu_new")
    rms_norm_eps: float = msgspec.field(name="layer_norm_epsilon", default=1e-5)
    tie_word_embeddings: bool = True
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    add_cross_attention: bool = False

    def config(self) -> Config:
        scaled = self.scale_attn_weights and not self.scale_attn_by_inverse_layer_idx
        if not scaled or self.add_cross_attention:
            raise ModelUnsupported(
                "the model scales attention scores in another way, or has cross-attention.",
                "Use another model.",
            )
        return changed(
            super().config(),
            hidden=self.n_inner or 4 * self.hidden_size,
            learned_positions=True,
            layer_norm=True,
            gated=False,
            query_key_value_bias=True,
            output_bias=True,
            feed_forward_bias=True,
        )


GPT2 = Family(
    GPT2Settings,
    {
        "embedding": "wte",
        "positions": "wpe",
        "norm": "ln_f",
        "head": "lm_head",
        "query": "attn.c_attn",
        "key": "attn.c_attn",
        "value": "attn.c_attn",
        "output": "attn.c_proj",
        "up": "mlp.c_fc",
        "down": "mlp.c_proj",
        "attention_norm": "ln_1",
        "feed_forward_norm": "ln_2",
    },
    block="h.{}.",
    prefixes=("transformer.", ""),
    transposed=True,
)
