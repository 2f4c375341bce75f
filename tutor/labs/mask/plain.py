"""Describes the state of the lab on the causal mask in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.plain.words import percent, token

if TYPE_CHECKING:
    from tutor.labs.mask.lab import State


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the prediction at each token, with or without the mask."""
    found = state.readings.get(state.hide)
    lines = []
    if found is not None:
        for at, each in enumerate(found.tokens):
            after = f"expects {token(found.best[at])} with {percent(found.chances[at])}"
            surprisal = (
                f", and the next token's surprisal is {found.bits[at]:.2f} bits"
                if at < len(found.bits)
                else ""
            )
            lines.append(f"After token {at}, {token(each)}, the model {after}{surprisal}.")
    switched = "on" if state.hide else "off"
    return {"hide": [f"The causal mask is {switched}."], "readings": lines, "before": []}
