"""A text that grows token by token, with all its branches.

The tree is stored as a list of branches. Each branch contains all its tokens from the start of the
text, and the common prefix of two branches is their shared stem. Choosing a different token never
discards an earlier choice; it starts a new branch. This module doesn't import torch, because the
app's own process owns the tree. The engine only receives the path of one branch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import TutorError
from tutor.lm.distribution import Token

MAXIMUM_BRANCHES = 9
MAXIMUM_TOKENS = 32_768
"""The maximum total number of tokens in all branches. Each branch counts its shared tokens too."""

How = Literal["prompt", "drawn", "taken"]


class TreeFull(TutorError, title="The tree is full"):
    """The error for a tree that has reached its limit of branches or tokens."""


class Step(msgspec.Struct, frozen=True):
    """One token of a branch, with its surprisal in bits and the way in which it was chosen.

    The surprisal is None for the first token of a text and for tokens that have not been scored
    yet. It is NaN if a remote model does not return it.
    """

    token: Token
    how: How
    surprisal_bits: float | None = None

    @property
    def known_bits(self) -> float | None:
        """Return the surprisal, or None if it is unknown."""
        bits = self.surprisal_bits
        return None if bits is None or math.isnan(bits) else bits


class Branch(msgspec.Struct, frozen=True):
    """One continuous text in the tree, from the first token to the last.

    `number`, from 1 to 9, identifies the branch. `seed` determines which tokens are drawn along it.
    """

    number: int
    seed: int
    steps: tuple[Step, ...]

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Return the tokens of the branch."""
        return tuple(step.token for step in self.steps)

    @property
    def prompt_length(self) -> int:
        """Return the number of tokens up to and including the last prompt token.

        The model's own text begins after that token.
        """
        for index in range(len(self.steps), 0, -1):
            if self.steps[index - 1].how == "prompt":
                return index
        return 0


class Fork(msgspec.Struct, frozen=True):
    """The point where a branch separates from its parent branch.

    `at` is the number of tokens that the two branches share, and `depth` is the number of forks
    between the branch and the first branch of the same text. For that branch, `parent` and `depth`
    are 0.
    """

    branch: int
    parent: int
    at: int
    depth: int


def shared(one: Branch, other: Branch) -> int:
    """Return the length of the common prefix of two branches, in tokens."""
    length = 0
    for mine, theirs in zip(one.steps, other.steps, strict=False):
        if mine.token.id != theirs.token.id:
            break
        length += 1
    return length


class TokenTree(msgspec.Struct, frozen=True):
    """The branches of a text, with a current branch and a position in focus.

    `focus` is the index of the token in focus. If it equals `length`, the focus is after the last
    token, where the next token will be chosen. A tree is immutable: every change returns a new
    tree, which shares the unchanged branches.
    """

    branches: tuple[Branch, ...]
    number: int
    focus: int

    @classmethod
    def from_prompt(cls, tokens: Iterable[Token], seed: int) -> TokenTree:
        """Return a tree with the prompt as its only branch, and the focus at its end."""
        steps = given_steps(tokens)
        return cls((Branch(1, seed, steps),), 1, len(steps))

    # --- queries ---------------------------------------------------------------------------

    @property
    def current(self) -> Branch:
        """Return the current branch."""
        return self.branch(self.number)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the steps of the current branch."""
        return self.current.steps

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Return the tokens of the current branch."""
        return self.current.tokens

    @property
    def length(self) -> int:
        """Return the number of tokens of the current branch."""
        return len(self.current.steps)

    @property
    def at_end(self) -> bool:
        """Return True if the focus is at the end of the current branch."""
        return self.focus == self.length

    @property
    def last_looked_at(self) -> int | None:
        """Return the index of the token in focus.

        If the focus is after the last token, return the last token's index.
        """
        return min(self.focus, self.length - 1) if self.length else None

    def own_length(self, branch: Branch) -> int:
        """Return the number of tokens after the prompt that belong only to `branch`."""
        others = (shared(branch, other) for other in self.branches if other is not branch)
        return len(branch.steps) - max([branch.prompt_length, *others])

    def branch_lengths(self) -> tuple[int, ...]:
        """Return the `own_length` of every branch, in the order of `branches`."""
        return tuple(self.own_length(branch) for branch in self.branches)

    def forks(self) -> list[Fork]:
        """Return the forks of all branches in display order, with each branch below its parent.

        A branch that shares no text with an earlier branch, because it has a new prompt, has no
        parent.
        """
        parents: dict[int, tuple[int, int]] = {self.branches[0].number: (0, 0)}
        for index, branch in enumerate(self.branches[1:], start=1):
            stem = max(self.branches[:index], key=lambda earlier: shared(branch, earlier))
            at = shared(branch, stem)
            # A new prompt can share the token that begins every text, which is special.
            is_new_text = all(step.token.special for step in branch.steps[:at])
            parents[branch.number] = (0 if is_new_text else stem.number, at)

        def below(number: int, depth: int) -> list[Fork]:
            parent, at = parents[number]
            children = sorted(
                (child for child, (stem, _) in parents.items() if stem == number),
                key=lambda child: parents[child][1],
                reverse=True,
            )
            drawn = [Fork(number, parent, at, depth)]
            for child in children:
                drawn += below(child, depth + 1)
            return drawn

        roots = [number for number, (parent, _) in parents.items() if not parent]
        return [fork for root in roots for fork in below(root, 0)]

    # --- focus -----------------------------------------------------------------------------

    def move(self, by: int) -> TokenTree:
        """Move the focus by `by` tokens, but not beyond the ends of the branch."""
        return replace(self, focus=min(max(self.focus + by, 0), self.length))

    def switch(self, number: int) -> TokenTree:
        """Make branch `number` the current branch, with the focus at its end."""
        return replace(self, number=number, focus=len(self.branch(number).steps))

    # --- changes ---------------------------------------------------------------------------

    def choose(self, token: Token, how: How, surprisal_bits: float | None) -> TokenTree:
        """Choose `token` at the focus, and move the focus to the next position.

        At the end of the text, the token is appended to the branch. Earlier, a token that differs
        from the current token starts a new branch. Raises `TreeFull`.
        """
        if not self.at_end and self.steps[self.focus].token.id == token.id:
            return self.move(1)
        tree = self
        if not self.at_end:
            self._make_room(self.focus + 1)
            tree = self.fork()
        tree._make_room(1)
        return tree._with_steps((*tree.steps, Step(token, how, surprisal_bits)))

    def extend(self, steps: Sequence[Step]) -> TokenTree:
        """Add steps at the end of the current branch. Raises `TreeFull`."""
        self._make_room(len(steps))
        return self._with_steps((*self.steps, *steps))

    def back(self) -> TokenTree:
        """Remove the last token or, if the focus is not at the end, move the focus to the left.

        The first token is never removed.
        """
        if not self.at_end:
            return self.move(-1)
        return self._with_steps(self.steps[:-1]) if self.length > 1 else self

    def fork(self, at: int | None = None) -> TokenTree:
        """Start a new branch from the first `at` tokens, with the focus at its end.

        By default, `at` is the index of the token in focus. The old branch keeps all its tokens.
        Raises `TreeFull`.
        """
        at = self.focus if at is None else at
        return self._with_branch(self.steps[:at])

    def start(self, tokens: Iterable[Token]) -> TokenTree:
        """Start a branch with a new prompt.

        If the current branch contains only a prompt, the new branch replaces it. Raises `TreeFull`.
        """
        if all(step.how == "prompt" for step in self.steps):
            return self._with_steps(given_steps(tokens))
        return self._with_branch(given_steps(tokens))

    def remove(self, number: int) -> TokenTree:
        """Remove a branch, unless it is the only one."""
        if len(self.branches) == 1:
            return self
        branch = self.branch(number)
        others = tuple(other for other in self.branches if other is not branch)
        if number != self.number:
            return replace(self, branches=others)
        nearest = max(others, key=lambda other: shared(branch, other))
        return TokenTree(others, nearest.number, len(nearest.steps))

    def reseed(self, seed: int) -> TokenTree:
        """Set the seed of the current branch."""
        return self._with(replace(self.current, seed=seed))

    def note_surprisals(self, start: int, surprisals: Sequence[float | None]) -> TokenTree:
        """Store surprisals for the current branch, beginning with the token at index `start`."""
        steps = list(self.steps)
        for index, value in enumerate(surprisals, start=start):
            if index < len(steps):
                steps[index] = replace(steps[index], surprisal_bits=value)
        return self._with(replace(self.current, steps=tuple(steps)))

    def first_unknown(self) -> int | None:
        """Return the index of the first token without a surprisal, skipping token 0.

        Token 0 never has a surprisal, because no token precedes it.
        """
        later = enumerate(self.steps[1:], start=1)
        return next((index for index, step in later if step.surprisal_bits is None), None)

    def has_branch(self, number: int) -> bool:
        """Return True if the tree has a branch with the given number."""
        return any(branch.number == number for branch in self.branches)

    def branch(self, number: int) -> Branch:
        """Return the branch with the given number."""
        return next(branch for branch in self.branches if branch.number == number)

    def _with(self, current: Branch) -> TokenTree:
        """Return the tree with its current branch replaced by `current`."""
        branches = (current if each.number == current.number else each for each in self.branches)
        return replace(self, branches=tuple(branches))

    def _with_steps(self, steps: tuple[Step, ...]) -> TokenTree:
        """Return the tree with `steps` as its current branch, and the focus at the branch's end."""
        return replace(self._with(replace(self.current, steps=steps)), focus=len(steps))

    def _with_branch(self, steps: tuple[Step, ...]) -> TokenTree:
        """Return the tree with a new current branch, and the focus at its end."""
        self._make_room(len(steps))
        branch = Branch(self._free_number(), self.current.seed, steps)
        return TokenTree((*self.branches, branch), branch.number, len(steps))

    def _free_number(self) -> int:
        free = set(range(1, MAXIMUM_BRANCHES + 1)) - {branch.number for branch in self.branches}
        if not free:
            raise TreeFull(
                f"There are already {MAXIMUM_BRANCHES} branches, which is the limit.",
                "Remove a branch first.",
            )
        return min(free)

    def _make_room(self, tokens: int) -> None:
        if sum(len(branch.steps) for branch in self.branches) + tokens > MAXIMUM_TOKENS:
            raise TreeFull(
                f"Together, the branches would have more than {MAXIMUM_TOKENS:,} tokens.",
                "Remove a branch first.",
            )


def given_steps(tokens: Iterable[Token]) -> tuple[Step, ...]:
    """Return the tokens of a prompt as steps of a branch."""
    return tuple(Step(token, "prompt") for token in tokens)


def without_surprisals(tree: TokenTree) -> TokenTree:
    """Return the tree without any surprisals, so that they are computed again."""
    branches = (
        replace(each, steps=tuple(replace(step, surprisal_bits=None) for step in each.steps))
        for each in tree.branches
    )
    return replace(tree, branches=tuple(branches))


def text_of(steps: Iterable[Step]) -> str:
    """Return the text of the tokens in `steps`, leaving out special tokens."""
    data = b"".join(step.token.data for step in steps if not step.token.special)
    return data.decode("utf-8", "replace")


# --- saving ------------------------------------------------------------------------------------


class SavedBranch(msgspec.Struct, frozen=True):
    """A saved branch, stored as its difference from an earlier branch.

    It begins with the first `shared` tokens of branch number `parent` (0 for no parent). `data`
    contains the bytes of all its other tokens, and `sizes` the number of bytes in each of them.
    `how` has one letter per token: p(rompt), d(rawn), t(aken). `special` lists the indices of
    special tokens.
    """

    number: int
    seed: int
    parent: int
    shared: int
    ids: tuple[int, ...]
    sizes: tuple[int, ...]
    data: bytes
    how: str
    special: tuple[int, ...] = ()


class SavedTree(msgspec.Struct, frozen=True):
    """A tree as it is stored in JSON, with the branches in the order in which they were created."""

    branches: tuple[SavedBranch, ...]
    current: int
    focus: int


_HOW: dict[str, How] = {"p": "prompt", "d": "drawn", "t": "taken"}


def save(tree: TokenTree) -> SavedTree:
    """Convert a tree to its saved form.

    Surprisals are not saved, because they can be computed again.
    """
    saved: list[SavedBranch] = []
    for index, branch in enumerate(tree.branches):
        earlier = tree.branches[:index]
        stem = max(earlier, key=lambda other: shared(branch, other), default=None)
        common = shared(branch, stem) if stem else 0
        own = branch.steps[common:]
        saved.append(
            SavedBranch(
                number=branch.number,
                seed=branch.seed,
                parent=stem.number if stem else 0,
                shared=common,
                ids=tuple(step.token.id for step in own),
                sizes=tuple(len(step.token.data) for step in own),
                data=b"".join(step.token.data for step in own),
                how="".join(step.how[0] for step in own),
                special=tuple(i for i, step in enumerate(own) if step.token.special),
            )
        )
    return SavedTree(tuple(saved), tree.number, tree.focus)


def restore(saved: SavedTree) -> TokenTree:
    """Restore a saved tree. Raises `ValueError` if its branches are inconsistent."""
    branches: dict[int, Branch] = {}
    for item in saved.branches:
        stem = branches[item.parent].steps[: item.shared] if item.parent in branches else ()
        if len(stem) != item.shared or not 1 <= item.number <= MAXIMUM_BRANCHES:
            raise ValueError(f"Branch {item.number} does not fit into the tree.")
        branches[item.number] = Branch(item.number, item.seed, (*stem, *_own_steps(item)))
    if saved.current not in branches:
        raise ValueError(f"There is no branch {saved.current}.")
    length = len(branches[saved.current].steps)
    return TokenTree(tuple(branches.values()), saved.current, min(max(saved.focus, 0), length))


def _own_steps(item: SavedBranch) -> list[Step]:
    steps = []
    at = 0
    special = set(item.special)
    for index, (number, size, how) in enumerate(zip(item.ids, item.sizes, item.how, strict=True)):
        data = item.data[at : at + size]
        at += size
        token = Token(number, data.decode("utf-8", "replace"), data, index in special)
        steps.append(Step(token, _HOW.get(how, "prompt"), None))
    return steps
