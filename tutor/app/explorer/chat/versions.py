"""Find the versions of a message: branches of a conversation that differ in that message."""

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
    """One version of a message in a conversation.

    `number` counts the message's versions from 1, in the order in which they were created.
    `branches` contains, for each version, the number of one branch that contains it. `turn`
    counts the learner's messages: an answer has the same `turn` as the message that it answers.
    """

    message: Message
    turn: int
    number: int
    branches: tuple[int, ...]

    @property
    def kind(self) -> str:
        return "answer" if self.message.role == "assistant" else "version"

    @property
    def said(self) -> str:
        """A phrase that says which version this is, such as "answer 2 of 3"."""
        return _("{kind} {number} of {count}").format(
            kind=self.kind, number=self.number, count=len(self.branches)
        )

    def other(self, by: int) -> int:
        """Return the number of the branch with the next (1) or previous (-1) version."""
        return self.branches[(self.number - 1 + by) % len(self.branches)]


def versions(tree: TokenTree, branch: Branch) -> list[Version]:
    """Return the messages of a branch that have several versions, in the order of the conversation.

    A message has another version on each branch that has the same tokens before this message, but a
    different message in its place.
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
    """Return the ids of a message's tokens, from `first` up to the next special token.

    If no other message follows, the negative branch number is appended. Two answers at the end of a
    branch therefore count as different versions even if the model has written the same text.
    """
    steps = branch.steps
    end = next((at for at in range(first, len(steps)) if steps[at].token.special), len(steps))
    ids = tuple(step.token.id for step in steps[first:end])
    follows = any(not step.token.special and step.token.text.strip() for step in steps[end:])
    return ids if follows else (*ids, -branch.number)


def version_at(found: Sequence[Version], position: int) -> Version | None:
    """Return the version of the message at a position, if that message has several versions.

    Otherwise, return the version of the nearest earlier message with several versions or, if there
    is none, of the first later message with several versions. Return None if all messages have only
    one version.
    """
    before = [each for each in found if each.message.first <= position]
    return before[-1] if before else next(iter(found), None)


def branch_text(tree: TokenTree, fork: Fork, *, wide: bool) -> str:
    """Describe how a branch differs: which message is different, and the message's text."""
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
