"""The settings of the steps in `tutor/lm/chain.py`, as plain data: nothing here imports torch."""

from __future__ import annotations

from typing import Literal

import msgspec

StepName = Literal["repetition", "temperature", "top-k", "top-p", "min-p"]
ORDER: tuple[StepName, ...] = ("repetition", "temperature", "top-k", "top-p", "min-p")
"""The usual one. It is that of transformers; llama.cpp has the temperature last."""


class Dials(msgspec.Struct, frozen=True):
    """How far each step is turned; the defaults switch it off."""

    repetition: float = 1.0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0


class Stage(msgspec.Struct, frozen=True):
    """What a step left: how many tokens, how much probability it took from those it removed, and
    the entropy of what is left, in bits."""

    name: StepName
    kept: int
    removed_probability: float
    entropy_bits: float


def value(dials: Dials, name: StepName) -> float:
    found: float = getattr(dials, name.replace("-", "_"))
    return found


def turned(dials: Dials, name: StepName, to: float) -> Dials:
    return msgspec.structs.replace(dials, **{name.replace("-", "_"): to})


def is_off(dials: Dials, name: StepName) -> bool:
    return value(dials, name) == value(Dials(), name)
