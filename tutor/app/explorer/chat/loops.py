"""Notice when the model repeats itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.lm.token_tree import Step

LENGTH = 7
"""The number of tokens in a row that must be the same."""
TIMES = 4


def repeats_itself(steps: Sequence[Step]) -> bool:
    """Return True if the last `LENGTH` tokens occur `TIMES` times in these steps."""
    ids = [step.token.id for step in steps]
    last = ids[-LENGTH:]
    places = range(len(ids) - LENGTH + 1)
    return sum(ids[at : at + LENGTH] == last for at in places) >= TIMES
