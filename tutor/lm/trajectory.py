"""A text that goes on by itself, step by step. Needs no torch: the session may be anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tutor.lm.distribution import Distribution, Row, SamplerSettings


class Stepped(Protocol):
    """What is asked of a session."""

    @property
    def ended(self) -> bool: ...

    def __len__(self) -> int: ...

    def append(self, ids: Iterable[int]) -> None: ...

    def distribution(
        self, position: int, sampler: SamplerSettings, seed: int, top: int
    ) -> Distribution: ...


@dataclass(frozen=True)
class Step:
    """One step of a trajectory: the distribution, and the row that was taken."""

    distribution: Distribution
    chosen: Row


def trajectory(
    session: Stepped, sampler: SamplerSettings, seed: int, steps: int, top: int
) -> Iterator[Step]:
    """Let the model go on from the end of the session for `steps` tokens, its own draw each time.

    Stops after a token that ends the text. Raises `ContextFull` when there is no room left.
    """
    for _ in range(steps):
        found = session.distribution(len(session), sampler, seed, top)
        session.append([found.drawn.token.id])
        yield Step(found, found.drawn)
        if session.ended:
            return
