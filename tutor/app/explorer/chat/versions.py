"""Find the versions of a message: the branches of a conversation that differ in this message."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tutor.app.explorer.chat.messages import messages
from tutor.language import _
from tutor.lm.token_tree import shared, text_of
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.chat.messages import Message
    from tutor.lm.token_tree import Branch, Fork, TokenTree


class Version(NamedTuple):
    """One version of a message, on one branch of a conversation.

    `number` counts the versions from 1, in the order in which they were created, and `branches` has
    a branch for each of them. `turn` is the number of the learner's message: this one, or the one
    that this message answers.
    """

    message: Message
    turn: int
    number: int
    branches: tuple[int, ...]

    @property
    def said(self) -> str:
        """Say which version this is, such as "answer 2 of 3"."""
        kind = "answer" if self.message.role == "assistant" else "version"
        return _("{kind} {number} of {count}").format(
            kind=kind, number=self.number, count=len(self.branches)
        )

    def other(self, by: int) -> int:
        """Return the number of the branch with a later or earlier version."""
        return self.branches[(self.number - 1 + by) % len(self.branches)]


def versions(tree: TokenTree, branch: Branch) -> list[Version]:
    """Return the version of each message of a branch that has several, first message first.

    Two branches have versions of a message if they are equal up to the beginning of its text.
    """
    if len(tree.branches) == 1:
        return []
    common = [
        (each, len(each.steps) if each is branch else shared(each, branch))
        for each in tree.branches
    ]
    found: list[Version] = []
    turn = 0
    for message in messages(branch.steps):
        turn += message.role == "user"
        if message.role == "system":
            continue
        own = _text(branch, message.first)
        numbers: dict[tuple[int, ...], int] = {}
        for each, length in common:
            if length >= message.first:
                text = _text(each, message.first)
                numbers[text] = branch.number if text == own else each.number
        if len(numbers) > 1:
            number = list(numbers).index(own) + 1
            found.append(Version(message, turn, number, tuple(numbers.values())))
    return found


def _text(branch: Branch, first: int) -> tuple[int, ...]:
    """Return the ids of the tokens from `first` up to the next special token.

    If the branch ends there, its number comes last, because the model can write the same answer on
    several branches.
    """
    steps = branch.steps
    end = next((at for at in range(first, len(steps)) if steps[at].token.special), len(steps))
    ids = tuple(step.token.id for step in steps[first:end])
    follows = any(not step.token.special and step.token.text.strip() for step in steps[end:])
    return ids if follows else (*ids, -branch.number)


def version_at(found: Sequence[Version], position: int) -> Version | None:
    """Return the version of the message at a position, or of the last one before that has several.

    If there is none, this is the first message that has several.
    """
    before = [each for each in found if each.message.first <= position]
    return before[-1] if before else next(iter(found), None)


def branch_text(tree: TokenTree, fork: Fork, *, wide: bool) -> str:
    """Return which message of a conversation is different on this branch, and its text."""
    branch = tree.branch(fork.branch)
    found = version_at(versions(tree, branch), fork.at)
    if found is None:
        return ""
    steps = branch.steps[found.message.first : found.message.end]
    text = " ".join(safe(text_of(steps)).split()) or _("(nothing added yet)")
    return (
        _("message {turn}, {said}: {text}").format(turn=found.turn, said=found.said, text=text)
        if wide
        else f"{found.said}: {text}"
    )
