"""Keep messages that the model has not received yet, and the draft of the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.app.explorer.events import UseText

if TYPE_CHECKING:
    from tutor.app.explorer.state import State


def text_to_edit(state: State) -> str:
    """Return the text with which the editor opens: the draft, or the prompt of a text.

    The draft of a message that is still being sent belongs to that message, not to the next one.
    """
    given = "" if state.mode == "chat" else state.document.prompt
    draft = state.document.drafts.get(state.mode, given)
    return "" if draft in _unsent(state) else draft


def _unsent(state: State) -> list[str]:
    """Return the messages that the model has not received yet, in the order of sending."""
    waiting = [each.text for each in state.queue if isinstance(each, UseText)]
    return waiting if state.handed_in is None else [state.handed_in, *waiting]


def unsent_as_draft(state: State) -> State:
    """Return the state with all unsent messages of a conversation in its draft.

    A draft that the learner wrote in the meantime follows the messages. If a message replaces the
    last one, so does the draft.
    """
    texts = _unsent(state)
    if state.mode != "chat" or not texts:
        return state
    draft = state.document.drafts.get(state.mode, "")
    if draft and draft != texts[-1]:
        texts.append(draft)
    document = state.document.with_draft("\n".join(texts))
    queue = tuple(each for each in state.queue if not isinstance(each, UseText))
    editing = state.editing or (state.handed_in is not None and state.replaces)
    state = replace(state, document=document, handed_in=None, reading=None, queue=queue)
    return replace(state, editing=editing)
