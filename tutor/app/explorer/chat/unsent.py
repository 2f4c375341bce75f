"""Keep messages that the model has not received yet, and what the learner has written since."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from tutor.app.explorer.chat.messages import last_message
from tutor.app.explorer.events import UseText

if TYPE_CHECKING:
    from tutor.app.explorer.state import State


class Written(NamedTuple):
    """The texts that the learner has written in the field, and not sent.

    `new` is the new text, and `changes` are the learner's versions of earlier texts, by earlier
    text. `place` is the earlier text whose version the field shows, or "" for the new text.
    """

    new: str
    changes: dict[str, str]
    place: str


def written_in_field(state: State) -> Written:
    """Return the texts with which the field opens."""
    draft, changes = text_to_edit(state), state.document.changes
    place = _place(state, draft)
    new = changes.get("", _given(state)) if place else draft
    if place and draft:
        changes = changes | {place: draft}
    return Written(new, {each: text for each, text in changes.items() if each}, place)


def is_edit(state: State) -> bool:
    """Return True if the draft is a version of the last message."""
    last = last_message(state.tree)
    return last is not None and _place(state, text_to_edit(state)) == last.text


def _place(state: State, draft: str) -> str:
    """Return the earlier text of which `draft` is the learner's version, or ""."""
    last = last_message(state.tree)
    if state.editing and state.mode == "chat" and last is not None:
        return last.text
    if state.mode not in state.document.drafts:
        return ""
    changes = state.document.changes.items()
    return next((earlier for earlier, text in changes if text == draft), "")


def text_to_edit(state: State) -> str:
    """Return the text that the field shows when it opens: the draft, or the prompt of a text.

    The draft of a message that is still being sent belongs to that message, not to the next one.
    """
    changes = state.document.changes
    draft = state.document.drafts.get(state.mode, changes.get("", _given(state)))
    return changes.get("", "") if draft in _unsent(state) else draft


def _given(state: State) -> str:
    return "" if state.mode == "chat" else state.document.prompt


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
    editing = state.editing or (state.handed_in is not None and state.replaces)
    changes = dict(state.document.changes)
    draft = state.document.drafts.get(state.mode, "")
    if draft and draft != texts[-1]:
        texts.append(draft)
        changes = {earlier: text for earlier, text in changes.items() if text != draft}
    if not editing and (new := changes.pop("", "")):
        texts.append(new)
    document = state.document.with_draft("\n".join(texts)).with_changes(changes)
    queue = tuple(each for each in state.queue if not isinstance(each, UseText))
    state = replace(state, document=document, handed_in=None, reading=None, queue=queue)
    return replace(state, editing=editing)
