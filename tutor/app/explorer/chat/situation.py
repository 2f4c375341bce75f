"""The notice below a conversation, which says what the model is doing and which keys help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.app.explorer.state import State


def situation(state: State) -> str | None:
    """Return a sentence about the state of the conversation, or None if there is nothing to say."""
    model = state.engine.model
    if model is not None and not model.chat:
        return _(
            "{name} has no chat template, so it can only continue text. "
            "Press c to go back to the text."
        ).format(name=safe(model.name))
    if state.tree is None:
        return None
    if state.reading is not None:
        return _("The model is processing the conversation. Press r to stop.")
    if state.panel == "editor" or state.running or state.handed_in is not None:
        return None
    if state.ended:
        return _("The model ended its message.")
    if not (state.folded and state.tree.at_end):
        return None
    if state.tree.steps[-1].how == "prompt":
        return _("The model has not answered yet. Press r to let it answer.")
    return _("The answer is not complete. Press r to continue it, or s for another answer.")
