"""Describes the state of the sampler workbench in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _

if TYPE_CHECKING:
    from tutor.labs.sampler.lab import State


def describe(state: State) -> dict[str, list[str]]:
    """Return a sentence about the selected step.

    The outcomes with earlier settings are left out, because only the goals use them.
    """
    return {
        "focus": [_("Selected step: {step}.").format(step=state.order[state.focus])],
        "outcomes": [],
    }
