"""Find the messages of a conversation among its tokens.

A conversation is a token sequence. The chat template puts special tokens and the name of a role
around each message, and every model has its own template. This module finds the messages in all
common ones: a special token begins a message, and the role is either part of that token
(`<|user|>`) or written after it (`<|im_start|>user`). If no role is named, the tokens that were
given are the user's and the others are the model's.
"""

from __future__ import annotations

import re
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from tutor.lm.token_tree import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.state import State
    from tutor.lm.token_tree import Step, TokenTree

Role = Literal["system", "user", "assistant"]

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
}
_NAMES = "|".join(_ROLES)
_IN_A_MARK = re.compile(rf"(?<![a-z])({_NAMES})(?![a-z])")
_HEADER = re.compile(rf"\s*({_NAMES})(?:\n+|$)")
_LONGEST_HEADER = 12
"""The maximum number of tokens in which to look for the name of a role."""


class Message(msgspec.Struct, frozen=True):
    """One message of a conversation, as positions of its tokens.

    The text goes from `first` up to `end`, and the chat template's tokens are around it, from
    `start` up to `stop`. `given` is False if the model wrote the message.
    """

    role: Role
    start: int
    first: int
    end: int
    stop: int
    given: bool


def messages(steps: Sequence[Step]) -> tuple[Message, ...]:
    """Return the messages of a conversation, which together contain all of its tokens."""
    found: list[Message] = []
    start, named = 0, None
    for special, group in groupby(range(len(steps)), lambda index: steps[index].token.special):
        indexes = list(group)
        if special:
            for index in indexes:
                role = _role_in(steps[index])
                if role or named is None:  # after the name of a role, a mark only ends the name
                    start = index
                named = role or named
            continue
        first, end = indexes[0], indexes[-1] + 1
        opened = first > 0
        size, role = _header(steps[first:end], named) if opened else (0, None)
        named = role or named
        if role and first + size == end < len(steps) and "\n" not in steps[end - 1].token.text:
            continue  # a mark ends the name of the role
        if named is None and _is_blank(steps[first:end]):
            continue  # white space between two messages
        texts = _texts(steps, start if opened else 0, first + size, end, named)
        if named is None and found and not (found[-1].given or texts[0].given):
            found[-1] = replace(found[-1], end=texts.pop(0).end)  # a mark inside an answer
        found += texts
        start, named = end, None
    if named:
        found.append(Message(named, start, len(steps), len(steps), len(steps), given=False))
    bounds = pairwise([0, *(each.start for each in found[1:]), len(steps)])
    return tuple(
        replace(each, start=start, stop=stop)
        for each, (start, stop) in zip(found, bounds, strict=False)
    )


def _role_in(step: Step) -> Role | None:
    """Return the role that a special token names, if any."""
    name = _IN_A_MARK.search(step.token.text.lower())
    return _ROLES[name[1]] if name else None


def _header(steps: Sequence[Step], named: Role | None) -> tuple[int, Role | None]:
    """Return the number of tokens before the text of a message, and the role that they name."""
    start = steps[:_LONGEST_HEADER]
    text = "".join(step.token.text for step in start)
    if named:
        return _tokens_in(start, len(text) - len(text.lstrip("\n")), given=True), None
    name = _HEADER.match(text)
    if name is None or (name.end() == len(text) and len(steps) > len(start)):
        return 0, None
    return _tokens_in(start, name.end()), _ROLES[name[1]]


def _tokens_in(steps: Sequence[Step], characters: int, *, given: bool = False) -> int:
    """Return how many tokens make up the first `characters`, or only those given."""
    for number, step in enumerate(steps):
        if characters <= 0 or (given and step.how != "prompt"):
            return number
        characters -= len(step.token.text)
    return len(steps)


def _is_blank(steps: Sequence[Step]) -> bool:
    """Return True if the chat template only put white space here."""
    return all(step.how == "prompt" and not step.token.text.strip() for step in steps)


def _texts(
    steps: Sequence[Step], start: int, first: int, end: int, role: Role | None
) -> list[Message]:
    """Return the message from `first` up to `end`.

    If its role is not named, the text is divided into what was given and what was written.
    """
    if role is not None:
        given = first < end and steps[first].how == "prompt"
        while end > first and _is_blank(steps[end - 1 : end]):
            end -= 1  # some templates put a line break before the next mark
        return [Message(role, start, first, end, end, given)]
    found = []
    at = first
    for given, group in groupby(steps[first:end], lambda step: step.how == "prompt"):
        stop = at + len(list(group))
        found.append(Message("user" if given else "assistant", start, at, stop, stop, given))
        start = at = stop
    return found


def shown_positions(steps: Sequence[Step]) -> list[int]:
    """Return the positions of all tokens that are visible while the chat template is hidden."""
    return [
        index
        for message in messages(steps)
        if message.role != "system"
        for index in range(message.first, message.end)
        if not steps[index].token.special
    ]


class LastMessage(NamedTuple):
    """The last message of the learner, and the number of tokens before it.

    No tokens are before the first message, because the conversation begins with it.
    """

    text: str
    before: int


def last_message(tree: TokenTree | None) -> LastMessage | None:
    """Return the last message that the learner wrote, or None if there is none."""
    found = messages(tree.steps) if tree else ()
    mine = [each for each in found if each.role == "user" and each.given]
    if tree is None or not mine:
        return None
    text = text_of(tree.steps[mine[-1].first : mine[-1].end])
    return LastMessage(text, mine[-1].start if len(mine) > 1 else 0)


def earlier_texts(state: State) -> tuple[str, ...]:
    """Return the texts that were entered earlier. In a conversation, its last message is last."""
    earlier = state.document.earlier
    last = last_message(state.tree) if state.mode == "chat" else None
    return (*(each for each in earlier if each != last.text), last.text) if last else earlier
