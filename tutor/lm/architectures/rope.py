"""The settings of rotary position embedding, and the methods that extend a model's context.

In a long text, a model that was trained on short texts encounters rotation angles that never
occurred in training. Each method therefore lowers the rotation frequency of some pairs of numbers
in a head (see `tutor.lm.network.rotations`):

    linear     divides all frequencies by the same factor (Chen et al. 2023)
    llama3     divides only the low frequencies by a factor (Llama Team 2024)
    yarn       is similar to llama3, and also makes attention sharper (Peng et al. 2023)
    longrope   divides each frequency by its own factor, found by search (Ding et al. 2024)
    dynamic    changes the frequencies only for texts longer than the training texts (bloc97 2023)

With the last two methods, the rotations of all positions change as soon as a text is longer than
the training texts. tutor reuses the keys of earlier positions, so it limits the context of a model
with one of these methods to the length at which the change would begin.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from tutor.errors import ModelDamaged, ModelUnsupported


class RopeSettings(msgspec.Struct, frozen=True):
    """The fields of `rope_scaling` or `rope_parameters` in config.json."""

    rope_type: str = ""
    type: str = "default"  # the name of `rope_type` before transformers 4.43
    rope_theta: float | None = None
    partial_rotary_factor: float | None = None
    factor: float | None = None
    original_max_position_embeddings: int | None = None
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    attention_factor: float | None = None
    beta_fast: float | None = None
    beta_slow: float | None = None
    mscale: float | None = None
    mscale_all_dim: float | None = None
    truncate: bool = True
    short_factor: tuple[float, ...] = ()
    long_factor: tuple[float, ...] = ()
    finetuned: bool = False

    @property
    def kind(self) -> str:
        """Return the name of the method that extends the context."""
        return self.rope_type or self.type

    @property
    def slowed(self) -> float:
        """Return the factor by which to divide the lowest frequencies (1 if none is given)."""
        return 1.0 if self.factor is None else self.factor


class Scaling(NamedTuple):
    """The effect of a method that extends the context.

    The rotation frequency of pair i is divided by `factors[i]`, or is unchanged if `factors` is
    None. Each rotation also multiplies a vector's length by `magnitude`. `context` is the maximum
    number of tokens for which these values are correct.
    """

    factors: tuple[float, ...] | None
    magnitude: float
    context: int


def _contradiction() -> ModelDamaged:
    return ModelDamaged("the RoPE scaling factors contradict each other.")


def scaling(rope: RopeSettings, base: float, rotated: int, context: int) -> Scaling:
    """Return the effect of the settings on a model with a context window of `context` tokens.

    `rotated` is the number of dimensions of each head that are rotated. Raises `ModelUnsupported`
    for an unknown method, and `ModelDamaged` if the settings contradict each other.
    """
    if not 0 < base < math.inf:  # `require_sound` rejects this base later
        return Scaling(None, 1.0, context)
    try:
        return _scaling(rope, base, rotated, context)
    except (ArithmeticError, ValueError) as error:  # such as a division by 0, or an infinite number
        raise _contradiction() from error


def _scaling(rope: RopeSettings, base: float, rotated: int, context: int) -> Scaling:
    original = rope.original_max_position_embeddings or context
    match rope.kind:
        case "default":
            return Scaling(None, 1.0, context)
        case "linear":
            return Scaling((rope.slowed,) * (rotated // 2), 1.0, context)
        case "llama3":
            return Scaling(_llama3(rope, base, rotated), 1.0, context)
        case "yarn":
            return Scaling(_yarn(rope, base, rotated, original), _yarn_magnitude(rope), context)
        case "dynamic":
            return Scaling(None, 1.0, min(original, context))
        case "longrope" | "su":  # longrope was first called "su"
            return _longrope(rope, original, context)
    raise ModelUnsupported(
        f"the RoPE scaling type {rope.kind!r:.60} is not supported.",
        "Use a model with linear, llama3, yarn, longrope or dynamic scaling.",
    )


def _llama3(rope: RopeSettings, base: float, rotated: int) -> tuple[float, ...]:
    """Return the factor by which to divide each pair's rotation frequency.

    It is `factor` for pairs that make fewer than `low_freq_factor` rotations within the original
    context, and 1 for pairs that make more than `high_freq_factor` rotations, with a smooth
    transition between these limits (as in `transformers.modeling_rope_utils`).
    """
    if rope.slowed <= 0 or rope.high_freq_factor <= rope.low_freq_factor:
        raise _contradiction()
    original = rope.original_max_position_embeddings or 8192
    factors = []
    for pair in range(0, rotated, 2):
        rotations = original * base ** (-pair / rotated) / (2 * math.pi)
        keep = (rotations - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor)
        factors.append(_slowed(keep, rope.slowed))
    return tuple(factors)


def _yarn(rope: RopeSettings, base: float, rotated: int, original: int) -> tuple[float, ...]:
    """Return the factor by which to divide each pair's rotation frequency.

    It is 1 for pairs that make more than `beta_fast` rotations within the original context, and
    `factor` for pairs that make fewer than `beta_slow` rotations. Between these limits, the new
    frequency is interpolated linearly over the index of the pair.
    """
    if rope.slowed <= 0 or base == 1 or original < 1:
        raise _contradiction()

    def pair_with(rotations: float) -> float:
        return rotated * math.log(original / (rotations * 2 * math.pi)) / (2 * math.log(base))

    first, last = pair_with(rope.beta_fast or 32), pair_with(rope.beta_slow or 1)
    if rope.truncate:
        first, last = math.floor(first), math.ceil(last)
    first, last = max(first, 0), min(last, rotated - 1)
    if first == last:
        last += 0.001
    return tuple(
        _slowed(1 - (pair - first) / (last - first), rope.slowed) for pair in range(rotated // 2)
    )


def _slowed(keep: float, factor: float) -> float:
    """Return the factor by which to divide a pair's rotation frequency.

    The division turns a frequency f into the weighted mean keep * f + (1 - keep) * f / factor,
    where `keep` is first limited to the range from 0 to 1.
    """
    keep = min(1.0, max(0.0, keep))
    return 1 / (keep + (1 - keep) / factor)


def _yarn_magnitude(rope: RopeSettings) -> float:
    """Return the square root of the factor by which YaRN multiplies attention scores."""
    if rope.attention_factor is not None:
        return rope.attention_factor

    def grown(by: float) -> float:
        return 1.0 if rope.slowed <= 1 else 0.1 * by * math.log(rope.slowed) + 1

    if rope.mscale and rope.mscale_all_dim:
        return grown(rope.mscale) / grown(rope.mscale_all_dim)
    return grown(1.0)


def _longrope(rope: RopeSettings, original: int, context: int) -> Scaling:
    """Return the effect of longrope on texts up to the length of the training texts."""
    factor = context / original if rope.factor is None and original else rope.slowed
    magnitude = rope.attention_factor
    if magnitude is None:
        enough = factor > 1 and original > 1
        magnitude = math.sqrt(1 + math.log(factor) / math.log(original)) if enough else 1.0
    return Scaling(rope.short_factor, magnitude, min(original, context))
