"""A text as it grows token by token, with the other ways it could have gone.

A tree of tokens is kept as its branches: each is a whole path from the first token on, and two
branches are one stem for as long as their tokens are the same. Nothing that was chosen is thrown
away by choosing something else; that makes a new branch. Pure data, no torch: the screen holds it,
and the engine is told which path to be on.
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
"""Most tokens that the paths of all branches may have together, stems counted each time."""

How = Literal["prompt", "drawn", "taken"]


class TreeFull(TutorError, title="The tree is full"):
    """The tree has as many branches or tokens as are kept."""


class Step(msgspec.Struct, frozen=True):
    """A token where it stands: how it came there, and how surprising it was to the model, in bits
    (None for the first token of a text, and while nobody has asked the model yet; NaN where a
    model elsewhere does not tell)."""

    token: Token
    how: How
    surprisal_bits: float | None = None

    @property
    def known_bits(self) -> float | None:
        """The surprisal, where there is one to be shown."""
        bits = self.surprisal_bits
        return None if bits is None or math.isnan(bits) else bits


class Branch(msgspec.Struct, frozen=True):
    """One path from the first token to its tip. `number` is its name, 1 to 9; `seed` decides
    what the model draws along it."""

    number: int
    seed: int
    steps: tuple[Step, ...]

    @property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(step.token for step in self.steps)

    @property
    def prompt_length(self) -> int:
        """How many tokens stand before the first one that was drawn or taken after the last
        prompt token: where the model's own text begins."""
        for index in range(len(self.steps), 0, -1):
            if self.steps[index - 1].how == "prompt":
                return index
        return 0


class Fork(msgspec.Struct, frozen=True):
    """Where a branch leaves the tree drawn before it: at token `at` of branch `parent` (0: it
    shares nothing), `depth` forks away from the first branch."""

    branch: int
    parent: int
    at: int
    depth: int


def shared(one: Branch, other: Branch) -> int:
    """How many tokens two branches have in common from the start."""
    length = 0
    for mine, theirs in zip(one.steps, other.steps, strict=False):
        if mine.token.id != theirs.token.id:
            break
        length += 1
    return length


class TokenTree(msgspec.Struct, frozen=True):
    """The branches, the number of the one that is looked at, and which token on it has the focus.

    `focus` counts tokens: at `focus == length` the question is what comes next; at an earlier
    focus it is what could have stood there instead. A tree never changes: what is done to it
    returns another one, which shares the steps.
    """

    branches: tuple[Branch, ...]
    number: int
    focus: int

    @classmethod
    def from_prompt(cls, tokens: Iterable[Token], seed: int) -> TokenTree:
        """Return the tree of one branch, with the focus at its end."""
        steps = given_steps(tokens)
        return cls((Branch(1, seed, steps),), 1, len(steps))

    # --- looking ---------------------------------------------------------------------------

    @property
    def current(self) -> Branch:
        """The branch that is looked at."""
        return self.branch(self.number)

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.current.steps

    @property
    def tokens(self) -> tuple[Token, ...]:
        return self.current.tokens

    @property
    def length(self) -> int:
        return len(self.current.steps)

    @property
    def at_end(self) -> bool:
        return self.focus == self.length

    @property
    def last_looked_at(self) -> int | None:
        """Index of the token in focus; at the end of the text, of the last one."""
        return min(self.focus, self.length - 1) if self.length else None

    def own_length(self, branch: Branch) -> int:
        """How many tokens this branch has after its prompt that it shares with no other."""
        others = (shared(branch, other) for other in self.branches if other is not branch)
        return len(branch.steps) - max([branch.prompt_length, *others])

    def branch_lengths(self) -> tuple[int, ...]:
        return tuple(self.own_length(branch) for branch in self.branches)

    def forks(self) -> list[Fork]:
        """The branches in the order of a drawn tree: each below the one it leaves."""
        parents: dict[int, tuple[int, int]] = {self.branches[0].number: (0, 0)}
        for index, branch in enumerate(self.branches[1:], start=1):
            stem = max(self.branches[:index], key=lambda earlier: shared(branch, earlier))
            parents[branch.number] = (stem.number, shared(branch, stem))

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

        return below(self.branches[0].number, 0)

    # --- moving ----------------------------------------------------------------------------

    def move(self, by: int) -> TokenTree:
        """Move the focus, as far as there are tokens."""
        return replace(self, focus=min(max(self.focus + by, 0), self.length))

    def switch(self, number: int) -> TokenTree:
        """Look at the end of another branch."""
        return replace(self, number=number, focus=len(self.branch(number).steps))

    # --- changing --------------------------------------------------------------------------

    def choose(self, token: Token, how: How, surprisal_bits: float | None) -> TokenTree:
        """Put `token` where the focus is and move on to what follows. At the end the branch grows;
        earlier, another token than the one that stands there starts a new branch. Raises
        `TreeFull`."""
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
        """Take the last token away again, or move an earlier focus one to the left. The first
        token stays."""
        if not self.at_end:
            return self.move(-1)
        return self._with_steps(self.steps[:-1]) if self.length > 1 else self

    def fork(self, at: int | None = None) -> TokenTree:
        """Start a new branch from the first `at` tokens (default: those before the focus) and
        look at its end. The branch forked from keeps all its tokens. Raises `TreeFull`."""
        at = self.focus if at is None else at
        return self._with_branch(self.steps[:at])

    def start(self, tokens: Iterable[Token]) -> TokenTree:
        """Start a branch on another prompt. A branch that is nothing but its prompt gives way;
        any other stays. Raises `TreeFull`."""
        if all(step.how == "prompt" for step in self.steps):
            return self._with_steps(given_steps(tokens))
        return self._with_branch(given_steps(tokens))

    def remove(self, number: int) -> TokenTree:
        """Forget a branch; the last one stays."""
        if len(self.branches) == 1:
            return self
        branch = self.branch(number)
        others = tuple(other for other in self.branches if other is not branch)
        if number != self.number:
            return replace(self, branches=others)
        nearest = max(others, key=lambda other: shared(branch, other))
        return TokenTree(others, nearest.number, len(nearest.steps))

    def reseed(self, seed: int) -> TokenTree:
        """Have the model draw with this seed along the current branch."""
        return self._with(replace(self.current, seed=seed))

    def note_surprisals(self, start: int, surprisals: Sequence[float | None]) -> TokenTree:
        """Write down how surprising the tokens from `start` of the current branch were."""
        steps = list(self.steps)
        for index, value in enumerate(surprisals, start=start):
            if index < len(steps):
                steps[index] = replace(steps[index], surprisal_bits=value)
        return self._with(replace(self.current, steps=tuple(steps)))

    def first_unknown(self) -> int | None:
        """Index of the first token, after the very first, whose surprisal is not known."""
        later = enumerate(self.steps[1:], start=1)
        return next((index for index, step in later if step.surprisal_bits is None), None)

    def has_branch(self, number: int) -> bool:
        return any(branch.number == number for branch in self.branches)

    def branch(self, number: int) -> Branch:
        return next(branch for branch in self.branches if branch.number == number)

    def _with(self, current: Branch) -> TokenTree:
        """The tree with another branch in place of the current one."""
        branches = (current if each.number == current.number else each for each in self.branches)
        return replace(self, branches=tuple(branches))

    def _with_steps(self, steps: tuple[Step, ...]) -> TokenTree:
        """The tree with these steps on its current branch, looked at from their end."""
        return replace(self._with(replace(self.current, steps=steps)), focus=len(steps))

    def _with_branch(self, steps: tuple[Step, ...]) -> TokenTree:
        """The tree with one branch more, which is looked at from its end."""
        self._make_room(len(steps))
        branch = Branch(self._free_number(), self.current.seed, steps)
        return TokenTree((*self.branches, branch), branch.number, len(steps))

    def _free_number(self) -> int:
        free = set(range(1, MAXIMUM_BRANCHES + 1)) - {branch.number for branch in self.branches}
        if not free:
            raise TreeFull(
                f"There are {MAXIMUM_BRANCHES} branches, which is as many as are kept.",
                "Remove one first.",
            )
        return min(free)

    def _make_room(self, tokens: int) -> None:
        if sum(len(branch.steps) for branch in self.branches) + tokens > MAXIMUM_TOKENS:
            raise TreeFull(
                f"The branches would have more than {MAXIMUM_TOKENS:,} tokens together.",
                "Remove a branch first.",
            )


def given_steps(tokens: Iterable[Token]) -> tuple[Step, ...]:
    """Return the steps of tokens that were given, not chosen."""
    return tuple(Step(token, "prompt") for token in tokens)


def text_of(steps: Iterable[Step]) -> str:
    """Return what tokens read as, without special ones."""
    data = b"".join(step.token.data for step in steps if not step.token.special)
    return data.decode("utf-8", "replace")


# --- saving ------------------------------------------------------------------------------------


class SavedBranch(msgspec.Struct, frozen=True):
    """A branch as what it adds to the `shared` first tokens of branch number `parent` (0: none).

    `data` are the bytes of its own tokens one after the other, `sizes` how many belong to each,
    `how` one letter each: p(rompt), d(rawn), t(aken); `special` the places of control marks.
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
    """A tree in the order in which its branches were made, ready for JSON."""

    branches: tuple[SavedBranch, ...]
    current: int
    focus: int


_HOW: dict[str, How] = {"p": "prompt", "d": "drawn", "t": "taken"}


def save(tree: TokenTree) -> SavedTree:
    """Everything about a tree that cannot be computed again: all but the surprisals."""
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
    """The tree that was saved. Raises `ValueError` when it does not fit together."""
    branches: dict[int, Branch] = {}
    for item in saved.branches:
        stem = branches[item.parent].steps[: item.shared] if item.parent in branches else ()
        if len(stem) != item.shared or not 1 <= item.number <= MAXIMUM_BRANCHES:
            raise ValueError(f"Branch {item.number} does not fit on the tree.")
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
