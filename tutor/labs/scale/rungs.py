"""The rungs of the ladder of scale: what models were made of.

A vendor that has published nothing has no number here. Sources were looked at in November 2026.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tutor.labs.scale.questions import Reading
from tutor.vendors.catalogue import RemoteModel

PUBLISHED_BYTES = 2
"""Bytes a weight, as well-known models are kept: 16-bit floats."""
MILLION, BILLION, TRILLION = 10**6, 10**9, 10**12
SMOLLM2_TOKENS = 2 * TRILLION
"""Of SmolLM2-135M, by its model card (Hugging Face, 2024)."""


class Rung(msgspec.Struct, frozen=True):
    """A model on the ladder. What is not known is None; `elsewhere` nobody tells. `estimate`:
    nothing was published, and `compute` is what others estimate."""

    name: str
    parameters: int | None
    bytes: int | None
    tokens: int | None
    compute: float | None
    source: str
    estimate: bool = False
    here: bool = False
    elsewhere: bool = False


def training_compute(parameters: int | None, tokens: int | None) -> float | None:
    """Operations of a training run, nearly: 6 a weight and token, 2 forward and 4 backward
    (Kaplan et al. 2020, "Scaling Laws for Neural Language Models")."""
    return 6.0 * parameters * tokens if parameters and tokens else None


def _published(name: str, parameters: int, tokens: int | None, source: str) -> Rung:
    compute = training_compute(parameters, tokens)
    return Rung(name, parameters, PUBLISHED_BYTES * parameters, tokens, compute, source)


_GPT_4 = "OpenAI published nothing; estimate: above 1e25, Epoch AI, 2025-01-30"
_LLAMA_3 = "Meta's model card: over 15T tokens"
PUBLISHED: tuple[Rung, ...] = (
    _published(
        "GPT-2 (2019)",
        1500 * MILLION,
        None,
        "Radford et al. 2019: 40 GB of text; how many tokens were read was not published",
    ),
    _published("Llama 3 8B (2024)", 8 * BILLION, 15 * TRILLION, _LLAMA_3),
    _published("Llama 3 70B (2024)", 70 * BILLION, 15 * TRILLION, _LLAMA_3),
    _published("GPT-3 (2020)", 175 * BILLION, 300 * BILLION, "Brown et al. 2020, arXiv 2005.14165"),
    _published(
        "Llama 3.1 405B (2024)",
        405 * BILLION,
        15_600 * BILLION,
        "Grattafiori et al. 2024, arXiv 2407.21783",
    ),
    Rung("GPT-4 (2023)", None, None, None, 1e25, _GPT_4, estimate=True),
)
"""What was published about well-known models, and what others have estimated."""

_SOURCES: dict[int | None, str] = {
    None: "weights and bytes as counted; how many tokens it read is not known here",
    SMOLLM2_TOKENS: "weights and bytes as counted; the tokens are those of its model card",
}
_NOTED = "weights and bytes as counted; tokens as its training noted"
_NOBODY_TELLS = "a server tells what may come next, and nothing of what it is made of"


def rungs(readers: Iterable[Reading], server: RemoteModel | None) -> tuple[Rung, ...]:
    """The models at hand, the `readers`, and the one elsewhere; then those that one reads
    about, from the least compute to the most, before them those of which it is not known."""
    at_hand = [
        Rung(
            reading.name,
            reading.parameters,
            reading.size,
            reading.trained_on,
            training_compute(reading.parameters, reading.trained_on),
            _SOURCES.get(reading.trained_on, _NOTED),
            here=True,
        )
        for reading in readers
    ]
    if server is not None:
        at_hand.append(Rung(server.name, None, None, None, None, _NOBODY_TELLS, elsewhere=True))
    return (*at_hand, *sorted(PUBLISHED, key=lambda rung: rung.compute or 0.0))
