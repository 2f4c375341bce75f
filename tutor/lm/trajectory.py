"""Generate text one token at a time.

This module works with any class that has the methods of `Stepped`, so it doesn't import torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tutor.lm.distribution import Distribution, Row, SamplerSettings


class Stepped(Protocol):
    """The methods that a session must have so that text can be generated with it."""

    @property
    def ended(self) -> bool: ...

    def __len__(self) -> int: ...

    def append(self, ids: Iterable[int]) -> None: ...

    def distribution(
        self, position: int, sampler: SamplerSettings, seed: int, top: int
    ) -> Distribution: ...


@dataclass(frozen=True)
class Step:
    """One step of generation: the distribution, and the row of the token that was drawn from it."""

    distribution: Distribution
    chosen: Row


def trajectory(
    session: Stepped, sampler: SamplerSettings, seed: int, steps: int, top: int
) -> Iterator[Step]:
    """Append up to `steps` generated tokens to the session, and yield each step.

    Each token is drawn by the sampler. Generation stops after an end token. Raises `ContextFull`
    when there is no room left.
    """
    for _ in range(steps):
        found = session.distribution(len(session), sampler, seed, top)
        session.append([found.drawn.token.id])
        yield Step(found, found.drawn)
        if session.ended:
            return
