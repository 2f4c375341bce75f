"""Hints that name keys. Most letters insert text in the field, so each hint has two forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.app.explorer.chat.messages import messages
from tutor.errors import TutorError
from tutor.language import _
from tutor.lm.token_tree import shared

if TYPE_CHECKING:
    from tutor.app.explorer.state import State
    from tutor.lm.distribution import SamplerSettings
    from tutor.lm.token_tree import TokenTree

CHAT_SAVED = _("The last chat is saved. To open it, press Esc, then o.")
"""The hint in the field of a new chat."""
_CHAT_SAVED_OUTSIDE = _("The last chat is saved. To open it, press o.")
_ANOTHER = _("Another answer, with seed {seed}. Press p for the earlier one, which is kept.")
_REPEATED = _("Again the same answer: small models tend to copy what is in the chat.")
_OFTEN = 3
"""The number of equal answers in a row from which the learner is told."""
SHORTEN_FIRST = _("Write a shorter message.")
"""Advice for a first message that does not fit into the context window."""
SHORTEN = _("Write a shorter message, or press N for a new chat.")
"""Advice for a message that does not fit into the context window."""
_SHORTEN_INSIDE = _("Write a shorter message, or press Esc, then N for a new chat.")
MAKE_ROOM = _("Press N for a new chat, or e and ↑ to edit your last message.")
"""Advice for a conversation that fills the context window."""
_MAKE_ROOM_INSIDE = _("Press Esc, then N for a new chat, or ↑ to edit your last message.")
MAKE_SPACE = _("Press w, select a branch that you no longer need, and press d to remove it.")
"""Advice for a tree that can have no more branches or tokens."""
_MAKE_SPACE_INSIDE = _(
    "Press Esc, then w. Select a branch that you no longer need, and press d to remove it."
)
KEPT = _("This chat is kept. Press N for a new chat, or choose another model.")
"""Advice for a conversation that cannot be built again for another model."""
_KEPT_INSIDE = _("This chat is kept. Press Esc, then N for a new chat, or choose another model.")

TAKEN_BACK = _("Your message was not sent. Press Enter to send it.")
"""The hint in the field after a message was taken back."""
_TAKEN_BACK_OUTSIDE = _("Your message was not sent. Press e to edit and send it.")

_HINTS = (
    (CHAT_SAVED, _CHAT_SAVED_OUTSIDE),
    (_SHORTEN_INSIDE, SHORTEN),
    (_MAKE_ROOM_INSIDE, MAKE_ROOM),
    (_MAKE_SPACE_INSIDE, MAKE_SPACE),
    (_KEPT_INSIDE, KEPT),
    (TAKEN_BACK, _TAKEN_BACK_OUTSIDE),
)
"""Pairs of hints that name the same key: in the field, and outside."""


def another_answer(seed: int) -> str:
    """Return the hint while the model generates another answer."""
    return _ANOTHER.format(seed=seed)


def on_answer(state: State) -> str | None:
    """Return a note if the complete answer is the same as other answers."""
    tree = state.tree
    if tree is None or not state.ended:
        return None
    said = _same_with_another_seed(tree, state.sampler)
    if said is None and state.note is None and not state.remote:
        return _same_as_before(tree)
    return said


def _same_with_another_seed(tree: TokenTree, sampler: SamplerSettings) -> str | None:
    current = tree.current
    others = (each for each in tree.branches if each.seed != current.seed)
    if not any(shared(each, current) == tree.length for each in others):
        return None
    said = _("Seed {seed} gave the same answer.").format(seed=current.seed)
    if sampler.greedy:
        return f"{said} " + _("With greedy decoding, the seed changes nothing.")
    if sampler.temperature >= 1:
        return said
    return f"{said} " + _("At T {temperature:.2f}, a new seed often changes nothing.").format(
        temperature=sampler.temperature
    )


def _same_as_before(tree: TokenTree) -> str | None:
    """Return a note if the last answers in the conversation are all the same."""
    last = [
        tree.tokens[each.first : each.end]
        for each in messages(tree.steps)
        if each.role == "assistant"
    ][-_OFTEN:]
    return _REPEATED if len(last) == _OFTEN and last[-1] and len(set(last)) == 1 else None


def hint_inside(state: State) -> State:
    """Return the state with a hint that is true in the field."""
    return _with_hint(state, {outside: inside for inside, outside in _HINTS})


def hint_outside(state: State) -> State:
    """Return the state with a hint that is true after the learner has left the field."""
    return _with_hint(state, dict(_HINTS))


def make_room(state: State) -> str:
    """Return advice for a conversation that fills the context window."""
    return _MAKE_ROOM_INSIDE if state.panel == "editor" else MAKE_ROOM


def _with_hint(state: State, hints: dict[str, str]) -> State:
    """Return the state with another form of its hint, which can be the advice of an error."""
    note = state.note
    if isinstance(note, TutorError):
        hint = hints.get(note.next_step)
        return state if hint is None else replace(state, note=type(note)(note.happened, hint))
    hint = hints.get(note) if note is not None else None
    return state if hint is None else replace(state, note=hint)
