"""Keep texts that the model has not received yet, and what the learner has written since."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from tutor.app.explorer.chat.messages import last_message
from tutor.app.explorer.events import UseText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.document import Document
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
    """Return the messages or prompts that the model has not received yet, in order of sending."""
    waiting = [each for each in state.queue if isinstance(each, UseText)]
    if state.handed_in is None:
        return waiting
    return [UseText(state.handed_in, state.replaces, place=state.handed_from), *waiting]


def has_unsent(state: State) -> bool:
    """Return True if the learner has sent a text that the model has not received yet."""
    return bool(_unsent(state))


def has_returned(before: State, state: State) -> bool:
    """Return True if an unsent text of the state before is a draft now."""
    if has_unsent(state):
        return False
    document = state.document
    kept = (document.drafts.get(state.mode, ""), *document.changes.values())
    return any(
        text == each.text or text.startswith(f"{each.text}\n")
        for each in _unsent(before)
        for text in kept
    )


def unsent_as_draft(state: State) -> State:
    """Return the state with all unsent messages or prompts in its draft and changed texts."""
    unsent = _unsent(state)
    if not unsent:
        return state
    document = (
        _messages_kept(state, unsent) if state.mode == "chat" else _prompts_kept(state, unsent)
    )
    queue = tuple(each for each in state.queue if not isinstance(each, UseText))
    return replace(state, document=document, handed_in=None, reading=None, queue=queue)


def _messages_kept(state: State, unsent: Sequence[UseText]) -> Document:
    """Return the document of a conversation with the unsent messages.

    Each message goes back to where it was written: to the new text, or to the earlier text that the
    learner had changed. Messages with the same place are joined. What the learner has written there
    in the meantime follows them. The draft is the text that contains the first message.
    """
    written = written_in_field(state)
    since = [*written.changes.items(), ("", written.new)]
    texts: dict[str, list[str]] = {}
    for place, text in (*((each.place, each.text) for each in unsent), *since):
        if text:
            texts.setdefault(place, []).append(text)
    joined = {place: "\n".join(parts) for place, parts in texts.items()}
    first = unsent[0].place
    return state.document.with_draft(joined.pop(first), first).with_changes(joined)


def _prompts_kept(state: State, unsent: Sequence[UseText]) -> Document:
    """Return the document of a text with the unsent prompts.

    Each prompt starts a text of its own, so prompts are not joined. The draft is what the learner
    has written since or, otherwise, the last prompt. The other prompts are among the earlier texts.
    """
    document, last = state.document, unsent[-1]
    draft = document.drafts.get(state.mode)
    if not draft:
        document = document.with_draft(last.text, last.place)
    if not draft or (draft, document.place) == (last.text, last.place):
        unsent = unsent[:-1]
    changes = dict(document.changes)
    for each in unsent:
        if each.text != document.drafts[state.mode] and each.text not in changes.values():
            taken = each.place in ("", document.place) or each.place in changes
            changes.setdefault(each.text if taken else each.place, each.text)
    return document if changes == document.changes else document.with_changes(changes)
