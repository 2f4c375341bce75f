"""The notice below a conversation, which says what the model is doing and which keys to press."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.explorer.chat.messages import ends_with_answer
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.app.explorer.state import State

STOP = _("Press r to stop.")


def without_template(state: State) -> str | None:
    """Return a sentence for a model that has no chat template, and None for any other model."""
    model = state.engine.model
    if model is None or model.chat:
        return None
    return _(
        "{name} has no chat template, so it can only continue text. Press c to go back to the text."
    ).format(name=safe(model.name))


def situation(state: State) -> str | None:
    """Return a sentence about the state of the conversation, or None if there is nothing to say."""
    if state.tree is None and state.to_rebuild is None:
        return None
    if (said := without_template(state)) is not None:
        return said
    if state.reading is not None or state.tree is None:
        said = _("The model is processing the conversation.")
        stops = state.reading is not None and state.panel != "editor"
        return f"{said} {STOP}" if stops else said
    if state.panel == "editor" or state.running or state.handed_in is not None:
        return None
    if state.ended:
        return _("The model ended its message.")
    if not (state.folded and state.tree.at_end):
        return None
    steps = state.tree.steps
    if steps[-1].how == "prompt" and not ends_with_answer(steps):
        return _("The model has not answered yet. Press r to let it answer.")
    return _("The answer is not complete.")
