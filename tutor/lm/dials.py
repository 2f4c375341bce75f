"""Settings for the sampler's steps in `tutor/lm/chain.py`, as plain data without torch."""

from __future__ import annotations

from typing import Literal

import msgspec

StepName = Literal["repetition", "temperature", "top-k", "top-p", "min-p"]
ORDER: tuple[StepName, ...] = ("repetition", "temperature", "top-k", "top-p", "min-p")
"""The usual order of the sampler's steps, as in `transformers`.

llama.cpp applies the temperature last.
"""


class Dials(msgspec.Struct, frozen=True):
    """The settings of all sampler steps. By default, every step is off."""

    repetition: float = 1.0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0


class Stage(msgspec.Struct, frozen=True):
    """A summary of one step's result.

    `kept` is the number of tokens that are left, `removed_probability` the total probability of the
    tokens that this step removed, and `entropy_bits` the entropy of the new distribution.
    """

    name: StepName
    kept: int
    removed_probability: float
    entropy_bits: float


def value(dials: Dials, name: StepName) -> float:
    """Return the setting of the step `name`, such as 0.7 for the temperature."""
    found: float = getattr(dials, name.replace("-", "_"))
    return found


def with_value(dials: Dials, name: StepName, to: float) -> Dials:
    """Return a copy of the settings in which the step `name` is set to `to`."""
    return msgspec.structs.replace(dials, **{name.replace("-", "_"): to})


def is_off(dials: Dials, name: StepName) -> bool:
    """Return True if the step `name` is off."""
    return value(dials, name) == value(Dials(), name)
