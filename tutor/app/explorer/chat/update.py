"""Compute the state after events that only occur in conversations."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, assert_never

from msgspec.structs import replace

from tutor.app.explorer import events
from tutor.app.explorer.chat.first_messages import SUGGESTIONS
from tutor.app.explorer.chat.messages import last_message, shown_positions
from tutor.app.explorer.chat.versions import version_at, versions
from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.explorer.state import State
    from tutor.lm.token_tree import TokenTree

ONE_VERSION = _(
    "Each message has only one version. Press s for another answer, or e and ↑ to edit your last "
    "message."
)


def handle_chat(state: State, event: events.ChatEvent) -> State:
    """Return the state after an event that only occurs in conversations."""
    match event:
        case events.Scroll(top):
            return replace(state, scroll=top)
        case events.ChooseSuggestion(by):
            return replace(state, suggestion=(state.suggestion + by) % len(SUGGESTIONS))
        case events.EditLast(on):
            possible = state.mode == "chat" and last_message(state.tree) is not None
            return replace(state, editing=on and possible)
        case _:
            assert_never(event)


def move_token(state: State, tree: TokenTree, by: int) -> TokenTree:
    """Move the focus by `by` tokens. In a conversation, hidden tokens are skipped."""
    if state.mode != "chat" or state.document.marks:
        return tree.move(by)
    places = [*shown_positions(tree.steps), tree.length]
    at = bisect_left(places, tree.focus)
    if by > 0 and places[at] != tree.focus:
        at -= 1  # the first step leads to the next visible token
    return tree.move(places[min(max(0, at + by), len(places) - 1)] - tree.focus)


def switch_version(state: State, tree: TokenTree, by: int) -> State:
    """Switch to the next or previous version of the message in focus.

    The focus stays on this message. If this is the last message, the focus moves to its end.
    """
    old = tree
    before = version_at(versions(old, old.current), old.focus)
    if before is None:
        return replace(state, note=ONE_VERSION)
    tree = old.switch(before.other(by))
    found = version_at(versions(tree, tree.current), before.message.first)
    assert found is not None
    if found.message.stop < tree.length:
        tree = tree.move(found.message.first - tree.length)
    note = _("{said}. Press p or n for another version.").format(said=found.said.capitalize())
    if before.message.stop < old.length:
        back = "w" if found.other(-by) != old.number else "n" if by < 0 else "p"
        note = _(
            "Message {turn}, {said}. What followed {kind} {number} is kept. Press {key} to go back."
        ).format(turn=found.turn, said=found.said, kind=before.kind, number=before.number, key=back)
    return replace(state.with_tree(tree), note=note)
