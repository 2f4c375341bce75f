"""The models on the scale ladder, with their size, their training data and their training compute.

A number that the vendor hasn't published is missing. The sources were checked in November 2026.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tutor.labs.scale.questions import Reading
from tutor.vendors.catalogue import RemoteModel

PUBLISHED_BYTES = 2
"""The number of bytes per weight in published models, whose weights are 16-bit floats."""
MILLION, BILLION, TRILLION = 10**6, 10**9, 10**12
SMOLLM2_TOKENS = 2 * TRILLION
"""The number of training tokens of SmolLM2-135M, from its model card (Hugging Face, 2024)."""


class Rung(msgspec.Struct, frozen=True):
    """A line of the scale ladder, which is a list of models with their sizes.

    Attributes:
        parameters: The number of parameters.
        bytes: The size of all weights, in bytes.
        tokens: The number of tokens that the model was trained on.
        compute: The number of arithmetic operations that the training took.
        source: A sentence that says where the numbers come from.
        estimate: True if `compute` is a third-party estimate, not a number from the vendor.
        here: True for a model on this machine.
        remote: True for a remote model that the learner added.

    Unknown numbers are None.
    """

    name: str
    parameters: int | None
    bytes: int | None
    tokens: int | None
    compute: float | None
    source: str
    estimate: bool = False
    here: bool = False
    remote: bool = False


def training_compute(parameters: int | None, tokens: int | None) -> float | None:
    """Return the approximate number of operations in a training run, or None if it is unknown.

    Each weight takes 6 operations for each token: 2 in the forward pass and 4 in the backward pass
    (Kaplan et al. 2020, "Scaling Laws for Neural Language Models").
    """
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
        "Radford et al. 2019: 40 GB of text; the number of training tokens was not published",
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
"""Well-known models, with published numbers or estimates by third parties."""

_SOURCES: dict[int | None, str] = {
    None: "weights and bytes were counted; the number of training tokens is unknown",
    SMOLLM2_TOKENS: "weights and bytes were counted; tokens are from the model card",
}
_NOTED = "weights and bytes were counted; tokens are from the training record"
_NOT_REPORTED = "servers report probable next tokens, but not the size of the model"


def rungs(readers: Iterable[Reading], server: RemoteModel | None) -> tuple[Rung, ...]:
    """Return all models on the ladder: local models, the remote model, and published models.

    The published models are sorted by compute. Models with unknown compute come first.
    """
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
        at_hand.append(Rung(server.name, None, None, None, None, _NOT_REPORTED, remote=True))
    return (*at_hand, *sorted(PUBLISHED, key=lambda rung: rung.compute or 0.0))
