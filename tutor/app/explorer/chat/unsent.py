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
    """Return the texts with which the field opens.

    The draft of a message that is still being sent belongs to that message, not to the next one.
    """
    document = state.document
    draft, place = document.drafts.get(state.mode), document.place
    changes = dict(document.changes)
    new = changes.pop("", None)
    unsent = _unsent(state)
    if unsent and (draft, place) == (unsent[-1].text, unsent[-1].place):
        return Written(new or "", changes, "")
    if draft and place:
        changes[place] = draft
    else:
        place = ""
        new = draft if new is None else new
    return Written(_given(state) if new is None else new, changes, place)


def is_edit(state: State) -> bool:
    """Return True if the field opens with the learner's version of the last message."""
    last = last_message(state.tree)
    return last is not None and written_in_field(state).place == last.text


def text_to_edit(state: State) -> str:
    """Return the text that the field shows when it opens: the draft, or the prompt of a text."""
    written = written_in_field(state)
    return written.changes[written.place] if written.place else written.new


def _given(state: State) -> str:
    return "" if state.mode == "chat" else state.document.prompt


def _unsent(state: State) -> list[UseText]:
    """Return the messages that the model has not received yet, in the order of sending."""
    waiting = [each for each in state.queue if isinstance(each, UseText)]
    if state.handed_in is None:
        return waiting
    return [UseText(state.handed_in, state.replaces, place=state.handed_from), *waiting]


def unsent_as_draft(state: State) -> State:
    """Return the state with all unsent messages of a conversation in its draft and changed texts.

    Each message goes back to where it was written: to the new text, or to the earlier text that the
    learner had changed. Messages with the same place are joined. What the learner has written there
    in the meantime follows them. The draft is the text that contains the first message.
    """
    unsent = _unsent(state)
    if state.mode != "chat" or not unsent:
        return state
    written = written_in_field(state)
    since = [*written.changes.items(), ("", written.new)]
    texts: dict[str, list[str]] = {}
    for place, text in (*((each.place, each.text) for each in unsent), *since):
        if text:
            texts.setdefault(place, []).append(text)
    joined = {place: "\n".join(parts) for place, parts in texts.items()}
    first = unsent[0].place
    document = state.document.with_draft(joined.pop(first), first).with_changes(joined)
    queue = tuple(each for each in state.queue if not isinstance(each, UseText))
    return replace(state, document=document, handed_in=None, reading=None, queue=queue)
