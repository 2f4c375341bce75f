"""Recognize folders with quantized weights, which tutor reads only from GGUF files."""

from __future__ import annotations

from typing import Any

from tutor.errors import ModelUnsupported
from tutor.text import safe

_LONGEST = 40


def require_floats(config: Any) -> None:
    """Raise `ModelUnsupported` if the model's config.json describes quantized weights."""
    if not isinstance(config, dict):
        return
    settings = config.get("quantization_config")
    if isinstance(settings, dict):
        method = settings.get("quant_method")
        named = isinstance(method, str) and safe(method)[:_LONGEST].upper()
        raise quantized(named or "a method without a name")
    if isinstance(config.get("quantization"), dict):
        raise quantized("MLX")


def quantized(method: str) -> ModelUnsupported:
    """Return the error for weights that are quantized with `method`."""
    return ModelUnsupported(
        f"the weights are quantized with {method}, which tutor cannot read.",
        "Use the original model in BF16 or F16, or a GGUF file of it, such as Q4_K_M or Q8_0.",
    )
