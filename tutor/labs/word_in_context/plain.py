"""Say the state of the lab in plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _

if TYPE_CHECKING:
    from tutor.labs.word_in_context.lab import State


def describe(state: State) -> dict[str, list[str]]:
    """Return the selected layer, which is counted from the embedding."""
    if state.layer == 0:
        return {"layer": [_("Layer 0, the embedding.")]}
    return {"layer": [_("Layer: {layer}.").format(layer=state.layer)]}
