"""Take back messages that the model has not received yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.app.explorer.effects import PlainEffect
from tutor.app.explorer.events import SetSampler, SetSteering, UseText
from tutor.app.explorer.stepping import carry_on
from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.explorer.state import State

TAKEN_BACK = _("Your message was not sent. Press Enter to send it.")


def take_back(state: State) -> State:
    """Return the state with all unsent messages in the editor.

    A draft that the learner wrote in the meantime follows the messages. Waiting changes of settings
    still apply. All other waiting commands were for the answer, and are dropped.
    """
    if state.mode != "chat" or state.handed_in is None:
        return state
    waiting = [each.text for each in state.queue if isinstance(each, UseText)]
    texts = [state.handed_in, *waiting]
    draft = state.document.drafts.get(state.mode, "")
    if draft and draft != texts[-1]:
        texts.append(draft)
    document = state.document.with_draft("\n".join(texts))
    settings = tuple(each for each in state.queue if isinstance(each, SetSampler | SetSteering))
    state = replace(state, document=document, handed_in=None, request=None, reading=None)
    state = carry_on(replace(state, queue=settings))
    return replace(state, panel="editor", note=TAKEN_BACK).emit(PlainEffect.CANCEL_REQUEST)
