"""Say the state of the lab in plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _

if TYPE_CHECKING:
    from tutor.labs.sampler.lab import State


def describe(state: State) -> dict[str, list[str]]:
    """Return the selected step in words, without the record that the goals need."""
    return {
        "focus": [_("Selected step: {step}.").format(step=state.order[state.focus])],
        "outcomes": [],
    }
