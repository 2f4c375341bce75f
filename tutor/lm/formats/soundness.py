"""Check that the configuration in an untrusted model file makes sense before it is used."""

from __future__ import annotations

import math

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.network import Config
from tutor.lm.tokenizer import Tokenizer

_LARGEST = {
    "width": 1_000_000,  # Llama 3.1 405B has 16,384
    "number of layers": 1024,  # Llama 3.1 405B has 126
    "head size": 65_536,  # most models have 64 to 256
}


def default_head_size(width: int, heads: int) -> int:
    """Return the head size for a file that does not specify it: width / heads.

    Raises `ModelDamaged` if the width is not a multiple of the number of heads.
    """
    if heads < 1 or width < 1 or width % heads:
        raise ModelDamaged(
            f"the model's width {width} is not a multiple of its number of heads, {heads}."
        )
    return width // heads


def require_sizes(*, width: int, layers: int, head_size: int) -> None:
    """Raise `ModelDamaged` if one of these sizes is impossible or far too large.

    Lists and tables of these lengths are made before the weights are read, so a huge size would use
    up all memory.
    """
    for (name, largest), size in zip(_LARGEST.items(), (width, layers, head_size), strict=True):
        if not 1 <= size <= largest:
            raise ModelDamaged(f"the {name} {size:,} is out of range.")


def rotated_size(head_size: int, part: float) -> int:
    """Return the number of dimensions that are rotated if `part` of each head is.

    Raises `ModelDamaged` if the part is not between 0 and 1.
    """
    if not 0 < part <= 1:
        raise ModelDamaged(f"rotary embedding cannot rotate {part:g} of each head.")
    return int(head_size * part + 1e-6)


def require_sound(config: Config, tokenizer: Tokenizer) -> None:
    """Raise `ModelDamaged` if the configuration contradicts itself.

    Raises `ModelUnsupported` if the tokenizer has more tokens than the network has embeddings. The
    shapes of the weights are checked later, when the weights are read.
    """
    if wrong := _contradiction(config):
        raise ModelDamaged(f"{wrong}.")
    if tokenizer.highest_id >= config.vocabulary_size:
        raise ModelUnsupported(
            f"the tokenizer has a token with the id {tokenizer.highest_id:,}, but the network has "
            f"only {config.vocabulary_size:,} token embeddings.",
            "Use the tokenizer that belongs to these weights. If you added tokens, enlarge the "
            "network with `resize_token_embeddings` of the transformers library.",
        )


def _contradiction(config: Config) -> str | None:
    counts = {
        "vocabulary": config.vocabulary_size,
        "width": config.width,
        "number of layers": config.layers,
        "number of heads": config.heads,
        "number of key-value heads": config.key_value_heads,
        "head size": config.head_size,
        "hidden width": config.hidden,
        "context": config.context,
    }
    for name, count in counts.items():
        if count < 1:
            return f"the {name} is {count}"
    if config.heads % config.key_value_heads:
        return f"{config.heads} heads cannot share {config.key_value_heads} key-value heads evenly"
    if config.head_size % 2 or config.rotated % 2:
        return f"the head size is {config.head_size}, but rotary embedding needs an even number"
    if not 0 < config.rotated <= config.head_size:
        return f"rotary embedding cannot rotate {config.rotated} of {config.head_size} numbers"
    if config.experts and not 1 <= config.experts_used <= config.experts:
        return f"a router cannot choose {config.experts_used} of {config.experts} experts"
    if config.shared_hidden < 0:
        return f"the width inside the shared expert is {config.shared_hidden}"
    for base in (config.rope_base, config.local_rope_base or 1.0):
        if not (math.isfinite(base) and base > 0):
            return f"the base of the rotary embedding is {base}"
    if config.windows and len(config.windows) != config.layers:
        return f"{len(config.windows)} windows don't fit {config.layers} layers"
    if any(window is not None and window < 1 for window in config.windows):
        return "a sliding window is smaller than 1"
    caps = (config.score_cap or 1.0, config.logit_cap or 1.0)
    scales = (config.embedding_scale, config.rope_magnitude, *caps)
    if not all(math.isfinite(scale) and scale > 0 for scale in scales):
        return "a multiplier or a cap is not above 0"
    if not (math.isfinite(config.norm_epsilon) and config.norm_epsilon >= 0):
        return f"the epsilon of the norms is {config.norm_epsilon}"
    if config.rope_factors is not None and len(config.rope_factors) != config.rotated // 2:
        return f"{len(config.rope_factors)} RoPE factors don't fit heads of size {config.rotated}"
    if config.rope_factors and not all(math.isfinite(f) and f > 0 for f in config.rope_factors):
        return "the RoPE factors are not all above 0"
    return None
