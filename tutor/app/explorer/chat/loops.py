"""Detect whether the model repeats itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.lm.token_tree import Step

LENGTH = 7
"""The length of a repeated sequence, in tokens."""
TIMES = 4


def repeats_itself(steps: Sequence[Step]) -> bool:
    """Return True if the sequence of the last `LENGTH` tokens occurs at least `TIMES` times."""
    ids = [step.token.id for step in steps]
    last = ids[-LENGTH:]
    places = range(len(ids) - LENGTH + 1)
    return sum(ids[at : at + LENGTH] == last for at in places) >= TIMES
