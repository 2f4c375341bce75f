"""Compute the state while a conversation is being built again for another model, and after that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from tutor.app.explorer import events
from tutor.app.explorer.chat.messages import ends_with_answer
from tutor.app.explorer.chat.rebuilding import rebuilt
from tutor.app.explorer.events import Signal
from tutor.app.explorer.stepping import carry_on
from tutor.errors import TutorError
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.document import Document
    from tutor.app.explorer.events import Command
    from tutor.app.explorer.state import State
    from tutor.lm.distribution import Token

_NOW_WITH = _("You now chat with {name}. Your messages and the earlier answers are kept.")
_ANSWERS_AGAIN = _("You now chat with {name}, which answers again. The earlier answer is kept.")


def await_rebuilding(state: State, document: Document) -> State:
    """Return the state of a conversation after the model has changed.

    Messages that were waiting for the earlier model wait for the new one. An answer that was being
    generated is generated again.
    """
    waiting: list[Command] = []
    if state.handed_in is not None:
        handed_in = events.UseText(state.handed_in, state.replaces, place=state.handed_from)
        waiting.append(handed_in)
    waiting += [each for each in state.queue if isinstance(each, events.UseText)]
    if state.running and state.tree and not any(isinstance(w, events.UseText) for w in waiting):
        answered = ends_with_answer(state.tree.steps)
        waiting.append(Signal.NEW_SEED if answered else Signal.START)
    state = replace(state.without_answer(), document=document, queue=tuple(waiting))
    state = replace(state, handed_in=None, reading=None, running=False, typing=False)
    state = replace(state, stale=None, answered=None, undone=(), scroll=None)
    # The conversation is already there if the model is the one with which it was made.
    return carry_on(state)


def take_rebuilt(state: State, branches: Sequence[Sequence[Token]]) -> State:
    """Show a conversation that was built again, and carry out what was waiting for it.

    Raises `TextError` if the new model's chat template changes the messages.
    """
    other, model = state.document.other_chat, state.engine.model
    if other is UNSET or model is None:
        return state
    tree = rebuilt(other.tree, branches, model.end_ids)
    again = Signal.NEW_SEED in state.queue
    runs = again or Signal.START in state.queue
    state = replace(state.without_answer(), document=state.document.with_rebuilt(tree))
    if isinstance(state.note, TutorError):
        state = replace(state, note=None)  # it was about an earlier attempt or model
    state = carry_on(state)
    if isinstance(state.note, TutorError):
        return state
    note = (_ANSWERS_AGAIN if again else _NOW_WITH).format(name=safe(model.base_name))
    return replace(state, note=note, typing=runs and not state.first_message)
