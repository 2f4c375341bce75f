"""Whether what a model file says of itself can be true, before anything is computed from it."""

from __future__ import annotations

import math

from tutor.errors import ModelDamaged
from tutor.lm.network import Config
from tutor.lm.tokenizer import Tokenizer

_LARGEST_HEAD = 65_536  # 64 to 256 are usual


def _damaged(sentence: str) -> ModelDamaged:
    return ModelDamaged(sentence, "Fetch the model again, or use another.")


def even_share(width: int, heads: int) -> int:
    """The size of each of `heads`, of a file that does not state it. Raises `ModelDamaged`."""
    if heads < 1 or width < 1 or width % heads:
        raise _damaged(
            f"it says that its width is {width} and that it has {heads} heads: that does not "
            "divide."
        )
    return width // heads


def require_head_size(size: int) -> None:
    """Raises `ModelDamaged` for one that no head has: tables as long as that are made of it."""
    if not 1 <= size <= _LARGEST_HEAD:
        raise _damaged(f"it says that its head size is {size}.")


def require_sound(config: Config, tokenizer: Tokenizer) -> None:
    """Raises `ModelDamaged` where sizes contradict each other. Whether the weights have these
    sizes is seen when they are read."""
    if wrong := _contradiction(config):
        raise _damaged(f"{wrong}.")
    if tokenizer.highest_id >= config.vocabulary_size:
        raise _damaged(
            f"its tokenizer has a token {tokenizer.highest_id}, and its vocabulary only "
            f"{config.vocabulary_size} entries."
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
            return f"it says that its {name} is {count}"
    if config.heads % config.key_value_heads:
        return (
            f"it says that {config.heads} heads share {config.key_value_heads} sets of keys and "
            "values: that does not divide"
        )
    if config.head_size % 2:
        return f"its heads are {config.head_size} wide, and an odd number cannot be turned in pairs"
    if not (math.isfinite(config.rope_base) and config.rope_base > 0):
        return f"the base of its rotary embedding is {config.rope_base}"
    if not (math.isfinite(config.norm_epsilon) and config.norm_epsilon >= 0):
        return f"the epsilon of its norms is {config.norm_epsilon}"
    if config.rope_factors is not None and len(config.rope_factors) != config.head_size // 2:
        return f"it has {len(config.rope_factors)} rope factors for heads of {config.head_size}"
    if config.rope_factors and not all(math.isfinite(f) and f > 0 for f in config.rope_factors):
        return "its rope factors are not all above 0"
    return None
