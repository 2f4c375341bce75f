"""Keep messages that the model has not received yet, and the draft of the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.app.explorer.events import UseText
from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.explorer.state import State

TAKEN_BACK = _("Your message was not sent. Press Enter to send it.")


def text_to_edit(state: State) -> str:
    """Return the text with which the editor opens: the draft, or the prompt of a text.

    The draft of a message that is still being sent belongs to that message, not to the next one.
    """
    given = "" if state.mode == "chat" else state.document.prompt
    draft = state.document.drafts.get(state.mode, given)
    return "" if draft == state.handed_in else draft


def unsent_as_draft(state: State) -> State:
    """Return the state with all unsent messages of a conversation in its draft.

    A draft that the learner wrote in the meantime follows the messages.
    """
    waiting = [each.text for each in state.queue if isinstance(each, UseText)]
    texts = waiting if state.handed_in is None else [state.handed_in, *waiting]
    if state.mode != "chat" or not texts:
        return state
    draft = state.document.drafts.get(state.mode, "")
    if draft and draft != texts[-1]:
        texts.append(draft)
    document = state.document.with_draft("\n".join(texts))
    queue = tuple(each for each in state.queue if not isinstance(each, UseText))
    return replace(state, document=document, handed_in=None, reading=None, queue=queue)
