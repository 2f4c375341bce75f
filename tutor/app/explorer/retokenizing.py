"""Tokenize a text again for another model, because token ids belong to one model."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.lm.token_tree import Step, TokenTree, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.state import State
    from tutor.lm.distribution import Token
    from tutor.lm.token_tree import Branch


def texts(tree: TokenTree) -> tuple[str, ...]:
    """Return the text of each branch, without the special tokens of the earlier model."""
    return tuple(text_of(branch.steps) for branch in tree.branches)


def retokenized(old: TokenTree, branches: Sequence[Sequence[Token]]) -> TokenTree:
    """Return the tree of a text that was tokenized again, with the focus at the end.

    `branches` contains the new tokens of each branch of `old`. Numbers and seeds are kept, and
    every token counts as given, drawn or chosen if the old token at its position did.
    """
    new = tuple(
        replace(branch, steps=_steps(branch, tokens))
        for branch, tokens in zip(old.branches, branches, strict=True)
    )
    return TokenTree(new, old.number, 0).switch(old.number)


def _steps(old: Branch, tokens: Sequence[Token]) -> tuple[Step, ...]:
    before = [step for step in old.steps if not step.token.special]
    ends = list(accumulate(len(step.token.data) for step in before))
    sizes = [0 if token.special else len(token.data) for token in tokens]
    # Some tokenizers add a space at the start.
    at = (ends[-1] if ends else 0) - sum(sizes)
    steps = []
    for token, size in zip(tokens, sizes, strict=True):
        place = bisect_right(ends, max(0, at))
        how = "prompt" if token.special or place == len(before) else before[place].how
        steps.append(Step(token, how))
        at += size
    return tuple(steps)


def take_retokenized(state: State, branches: Sequence[Sequence[Token]]) -> State:
    """Show a text whose branches have been tokenized again."""
    old = state.to_rebuild
    if old is None:
        return state
    document = state.document.with_rebuilt(retokenized(old, branches))
    return replace(state.without_answer(), document=document, refused=False)
