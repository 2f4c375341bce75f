"""Compute the effect that saves a text as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.app.explorer import effects
from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.explorer.share.request import Share
    from tutor.app.explorer.state import State


def share(state: State, event: Share) -> State:
    """Return the state with the effect that saves the text, or with a note if there is no text."""
    tree, model = state.tree, state.engine.model
    if tree is None or model is None:
        return replace(state, note=_("There is no text to save yet."))
    shown = state.shown
    here = shown is not None and shown.current
    effect = effects.ShareText(
        event,
        tree=tree,
        model=model,
        mode=state.mode,
        sampler=state.sampler,
        tokens=state.path,
        steering=state.steering,
        known=shown.answer.distribution if shown is not None and here else None,
    )
    return replace(state, note=_("Saving the text.")).emit(effect)
