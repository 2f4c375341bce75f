"""The configuration of a network: its sizes, and its differences from the Llama family.

`tutor.lm.network` reads this configuration, and `tutor.lm.architectures` creates it from the
settings in a model file.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Config(msgspec.Struct, frozen=True):
    """The sizes of a network, and the choices that distinguish model families.

    The first fields are sizes and constants. The other fields describe differences from Llama, and
    their defaults are the values for Llama. The page docs/models.md explains which model families
    use which of these fields, and why.
    """

    vocabulary_size: int
    width: int  # length of a token's vector
    layers: int  # number of blocks
    heads: int  # attention heads in a block, each with its own queries
    key_value_heads: int  # key-value heads in a block; each is shared by several attention heads
    head_size: int  # length of a query, key or value
    hidden: int  # width inside the feed-forward network
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5
    context: int = 2048  # length of the context window, in tokens
    tied: bool = True  # the output layer uses the embedding table as its weights
    rope_factors: tuple[float, ...] | None = None  # rotation frequencies are divided by these

    # --- what differs from Llama: the embedding and the output ---
    learned_positions: bool = False  # a second table has a vector for each position (GPT-2)
    embedding_scale: float = 1.0  # the embeddings are multiplied by this (Gemma, Granite)
    logit_cap: float | None = None  # logits become cap * tanh(logits / cap) (Gemma 2)

    # --- rotary position embedding ---
    rotary_size: int | None = None  # rotated dimensions of a head; None: all
    rope_magnitude: float = 1.0  # a rotation also multiplies a vector's length by this (YaRN)
    unrotated: tuple[int, ...] = ()  # the layers without rotary position embedding (SmolLM3)
    local_rope_base: float | None = None  # the RoPE base in sliding-window layers (Gemma 3)

    # --- attention ---
    windows: tuple[int | None, ...] = ()  # the window of each layer; None: no window (Mistral)
    query_key_value_bias: bool = False  # a vector is added to queries, keys, values (Qwen2)
    output_bias: bool = False  # a vector is added to the output of attention (GPT-2)
    # Queries and keys are normalized: per head (Qwen3, Gemma 3), or all heads together (OLMo 2).
    query_key_norm: Literal["head", "all"] | None = None
    score_cap: float | None = None  # attention scores become cap * tanh(scores / cap) (Gemma 2)

    # --- blocks and feed-forward networks ---
    layer_norm: bool = False  # LayerNorm instead of RMSNorm (GPT-2, GPT-NeoX, StableLM)
    norm_before: bool = True  # the input of attention and of the feed-forward network is normalized
    norm_after: bool = False  # their output is normalized (Gemma 2 and 3; OLMo 2 without the input)
    parallel: bool = False  # attention and the feed-forward network have the same input (GPT-NeoX)
    activation: Literal["silu", "gelu", "gelu-tanh"] = "silu"
    gated: bool = True  # False: down(activation(up(x))), without a gate (GPT-2, GPT-NeoX)
    feed_forward_bias: bool = False  # the matrices of the feed-forward network have biases (GPT-2)

    # --- mixtures of experts: a router chooses among several feed-forward networks ---
    experts: int = 0  # experts in a block (Mixtral: 8); 0: one network without a router
    experts_used: int = 0  # experts that the router chooses for a token (Mixtral: 2)
    normalized_experts: bool = True  # weights of the chosen experts sum to 1 (Mixtral; not OLMoE)
    shared_hidden: int = 0  # width inside an expert that processes every token (Qwen2-MoE)

    @property
    def rotated(self) -> int:
        """Return the number of dimensions of each query and key that are rotated."""
        return self.head_size if self.rotary_size is None else self.rotary_size

    def window(self, layer: int) -> int | None:
        """Return the size of this layer's window, or None if the layer has no window."""
        return self.windows[layer] if self.windows else None

    def local_base(self, layer: int) -> bool:
        """Return True if the rotations in this layer use the base `local_rope_base`."""
        return self.local_rope_base is not None and self.window(layer) is not None
