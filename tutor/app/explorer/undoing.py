"""Undo and redo: remove the last token or a branch, or restore what was removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.app.widgets import figures
from tutor.language import _
from tutor.lm.token_tree import shared

if TYPE_CHECKING:
    from tutor.app.explorer.state import State
    from tutor.lm.token_tree import TokenTree

MOST = 200
"""The maximum number of changes that can be redone."""
NOTHING = _("There is nothing to redo.")


def undo(state: State, tree: TokenTree) -> State:
    """Restore the branch that was just removed or, if there is none, remove the last token.

    If the focus is not at the end, move the focus to the left instead of removing a token.
    """
    if _has_removed_branch(state, tree):
        return redo(state, tree)
    before = tree.back()
    if before.length == tree.length:
        return state.moved(before)
    state = _change(state, tree, before)
    if state.mode == "text":
        return state  # show no notice, because it would move the table
    token = tree.steps[-1].token
    hidden = token.special and not state.document.marks
    name = _("the end of the message") if hidden else figures.shown(token)
    return replace(state, note=f"Removed {name}. Press U to redo it.")


def remove_branch(state: State, tree: TokenTree, number: int) -> State:
    """Remove a branch, unless it is the only one."""
    if not tree.has_branch(number) or len(tree.branches) == 1:
        return state
    note = _("Removed branch {number}. Press u to bring it back.").format(number=number)
    return replace(_change(state, tree, tree.remove(number)), note=note)


def redo(state: State, tree: TokenTree) -> State:
    """Redo the last change that was undone, unless the text or the seed has changed since then."""
    if not can_redo(state, tree):
        return replace(state, undone=(), note=NOTHING)
    before, _ = state.undone[-1]
    return replace(state.moved(before), undone=state.undone[:-1])


def _change(state: State, before: TokenTree, after: TokenTree) -> State:
    """Replace the tree, and store both trees so that the change can be redone.

    Changes stored earlier are dropped if the tree has changed in another way since the last undo.
    """
    earlier = state.undone if can_redo(state, before) else ()
    return replace(state.moved(after), undone=(*earlier, (before, after))[-MOST:])


def can_redo(state: State, tree: TokenTree) -> bool:
    """Return True if there is something to redo, and `tree` has not changed since the last undo."""
    return bool(state.undone) and _same(state.undone[-1][1], tree)


def _has_removed_branch(state: State, tree: TokenTree) -> bool:
    """Return True if the last change removed a branch."""
    if not can_redo(state, tree):
        return False
    before, after = state.undone[-1]
    return {each.number for each in before.branches} > {each.number for each in after.branches}


def _same(one: TokenTree, other: TokenTree) -> bool:
    """Return True if two trees have the same branches, with the same seeds and tokens."""
    return len(one.branches) == len(other.branches) and all(
        (mine.number, mine.seed) == (theirs.number, theirs.seed)
        and len(mine.steps) == len(theirs.steps) == shared(mine, theirs)
        for mine, theirs in zip(one.branches, other.branches, strict=True)
    )
