"""What was published about well-known models, and what others have estimated.

A vendor that has published nothing has no number here. Sources were looked at in November 2026.
"""

from __future__ import annotations

import msgspec

PUBLISHED_BYTES = 2
"""Bytes a weight, as such models are kept: 16-bit floats."""


class Published(msgspec.Struct, frozen=True):
    """`parameters` and `tokens` are None where they were not published; `compute` is then what
    others estimate, if they do, and `estimate` says so."""

    name: str
    year: int
    parameters: int | None
    tokens: int | None
    source: str
    compute: float | None = None
    estimate: bool = False


def training_compute(parameters: int | None, tokens: int | None) -> float | None:
    """Operations of a training run, nearly: 6 a weight and token, 2 forward and 4 backward
    (Kaplan et al. 2020, "Scaling Laws for Neural Language Models")."""
    return 6.0 * parameters * tokens if parameters and tokens else None


MODELS: tuple[Published, ...] = (
    Published(
        "GPT-2",
        2019,
        1_500_000_000,
        None,
        "Radford et al. 2019: 40 GB of text; how many tokens were read was not published",
    ),
    Published(
        "Llama 3 8B", 2024, 8_000_000_000, 15_000_000_000_000, "Meta's model card: over 15T tokens"
    ),
    Published(
        "Llama 3 70B",
        2024,
        70_000_000_000,
        15_000_000_000_000,
        "Meta's model card: over 15T tokens",
    ),
    Published(
        "GPT-3", 2020, 175_000_000_000, 300_000_000_000, "Brown et al. 2020, arXiv 2005.14165"
    ),
    Published(
        "Llama 3.1 405B",
        2024,
        405_000_000_000,
        15_600_000_000_000,
        "Grattafiori et al. 2024, arXiv 2407.21783",
    ),
    Published(
        "GPT-4",
        2023,
        None,
        None,
        "OpenAI published nothing; estimate: above 1e25, Epoch AI, 2025-01-30",
        compute=1e25,
        estimate=True,
    ),
)

SMOLLM2_TOKENS = 2_000_000_000_000
"""Of SmolLM2-135M, by its model card (Hugging Face, 2024)."""
