"""The labs that stand for all others where a test is about what every lab has in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.later import later
from tutor.labs.kit import registry

A_FEW = frozenset(
    ("attention", "generations", "neighbors", "probe", "prompting", "sampler", "steer", "tokens")
)


def few_or_all(labs: Iterable[str]) -> list[Any]:
    """Return names of labs as parameters: `A_FEW` for `pytest` alone, and the others for later."""
    names = list(labs)
    return [
        *(name for name in names if name in A_FEW),
        *later(name for name in names if name not in A_FEW),
    ]


FEW_OR_ALL = few_or_all(registry.names())
