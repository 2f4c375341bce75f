"""The settings of the steps in `tutor/lm/chain.py`, as plain data that needs no torch."""

from __future__ import annotations

from typing import Literal

import msgspec

StepName = Literal["repetition", "temperature", "top-k", "top-p", "min-p"]
ORDER: tuple[StepName, ...] = ("repetition", "temperature", "top-k", "top-p", "min-p")
"""The usual order, as in `transformers`; llama.cpp applies the temperature last."""


class Dials(msgspec.Struct, frozen=True):
    """The settings of all steps. The default of each setting switches its step off."""

    repetition: float = 1.0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0


class Stage(msgspec.Struct, frozen=True):
    """The result of one step.

    It holds the number of tokens kept, the probability that the removed tokens had, and the entropy
    of the distribution that is left, in bits.
    """

    name: StepName
    kept: int
    removed_probability: float
    entropy_bits: float


def value(dials: Dials, name: StepName) -> float:
    """Return the setting of the step `name`."""
    found: float = getattr(dials, name.replace("-", "_"))
    return found


def with_value(dials: Dials, name: StepName, to: float) -> Dials:
    """Return the settings with the step `name` set to `to`."""
    return msgspec.structs.replace(dials, **{name.replace("-", "_"): to})


def is_off(dials: Dials, name: StepName) -> bool:
    """Return True if the step `name` changes nothing."""
    return value(dials, name) == value(Dials(), name)
