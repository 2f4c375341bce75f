"""Describes the attention lab's state in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.attention.lab import PATTERNS
from tutor.plain.words import percent, token

if TYPE_CHECKING:
    from tutor.labs.attention.lab import State

_MOST = 5


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the selected head, what it attends to, and the ranking of heads."""
    lines: dict[str, list[str]] = {"scores": [], "head scores": [], "row": [], "ranking": []}
    if state.sentence is None:
        return lines
    for pattern in PATTERNS:
        if (score := state.score(pattern)) is not None:
            lines["head scores"].append(f"Attention to {pattern}: {percent(score)} on average.")
    if state.known:
        lines["row"] = _row(state)
    if state.view == "finder":
        lines["ranking"] = [f"Heads ranked by attention to {state.pattern}:"]
        for rank, (layer, head, score) in enumerate(state.ranking()[:_MOST]):
            here = ", selected" if rank == state.rank else ""
            lines["ranking"].append(f"Layer {layer}, head {head}: {percent(score)}{here}.")
    return lines


def _row(state: State) -> list[str]:
    weights = state.row(state.token)
    best = sorted(range(state.token + 1), key=lambda at: -weights[at])[:_MOST]
    said = [f"Token {state.token}, {token(state.tokens[state.token])}, attends to:"]
    return said + [f"Token {at}, {token(state.tokens[at])}: {percent(weights[at])}." for at in best]
