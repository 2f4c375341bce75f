"""Split the tokens of a conversation into messages.

A conversation is a sequence of tokens. The chat template puts special tokens and the name of a role
around each message, and every model has its own template. This module supports all common
templates: a special token begins a message, and the role is either part of that token (`<|user|>`)
or follows it (`<|im_start|>user`). If no role is named, tokens from the prompt belong to the user,
and generated tokens belong to the model.
"""

from __future__ import annotations

import re
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from tutor.language import _
from tutor.lm.token_tree import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.state import State
    from tutor.lm.distribution import Token
    from tutor.lm.token_tree import Step, TokenTree

Role = Literal["system", "user", "assistant"]

EARLIER_ANSWER = _("Earlier answer")
"""The heading of an answer that the current conversation began with, as part of the prompt.

It was written by another model, or in an earlier session of a lab, perhaps by another model.
"""

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
"""The maximum number of tokens to search for the name of a role."""


class Message(msgspec.Struct, frozen=True):
    """One message of a conversation, as a range of token positions.

    The message's text is `first:end`. With the special tokens around it, the message is
    `start:stop`. `given` is False if the model has generated the message.
    """

    role: Role
    start: int
    first: int
    end: int
    stop: int
    given: bool


def messages(steps: Sequence[Step]) -> tuple[Message, ...]:
    """Return the messages of a conversation. Together, they cover all of its tokens."""
    found: list[Message] = []
    start, named = 0, None
    for special, group in groupby(range(len(steps)), lambda index: steps[index].token.special):
        indexes = list(group)
        if special:
            for index in indexes:
                role = _role_in(steps[index])
                # A special token after the name of a role only ends the name.
                if role or named is None:
                    start = index
                named = role or named
            continue
        first, end = indexes[0], indexes[-1] + 1
        opened = first > 0
        size, role = _header(steps[first:end], named) if opened else (0, None)
        named = role or named
        if role and first + size == end < len(steps) and "\n" not in steps[end - 1].token.text:
            continue  # a special token follows, so these tokens are only the role's name
        if named is None and _is_blank(steps[first:end]):
            continue  # this is only whitespace between two messages
        texts = _texts(steps, start if opened else 0, first + size, end, named)
        if named is None and found and not (found[-1].given or texts[0].given):
            # The special token was inside an answer, so the text after it continues the answer.
            found[-1] = replace(found[-1], end=texts.pop(0).end)
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
    """Return the role whose name a special token contains, or None."""
    name = _IN_A_MARK.search(step.token.text.lower())
    return _ROLES[name[1]] if name else None


def _header(steps: Sequence[Step], named: Role | None) -> tuple[int, Role | None]:
    """Return the number of tokens before a message's text, and the role that they name, if any."""
    start = steps[:_LONGEST_HEADER]
    text = "".join(step.token.text for step in start)
    if named:
        return _tokens_in(start, len(text) - len(text.lstrip("\n")), given=True), None
    name = _HEADER.match(text)
    if name is None or (name.end() == len(text) and len(steps) > len(start)):
        return 0, None
    return _tokens_in(start, name.end()), _ROLES[name[1]]


def _tokens_in(steps: Sequence[Step], characters: int, *, given: bool = False) -> int:
    """Return the number of tokens that make up the first `characters` characters of a text.

    If `given` is true, only the leading tokens that are part of the prompt are counted.
    """
    for number, step in enumerate(steps):
        if characters <= 0 or (given and step.how != "prompt"):
            return number
        characters -= len(step.token.text)
    return len(steps)


def _is_blank(steps: Sequence[Step]) -> bool:
    """Return True if these tokens are all whitespace that the chat template has inserted."""
    return all(step.how == "prompt" and not step.token.text.strip() for step in steps)


def _texts(
    steps: Sequence[Step], start: int, first: int, end: int, role: Role | None
) -> list[Message]:
    """Return the messages between the positions `first` and `end`.

    If `role` is None, there is one message for each run of prompt tokens, and one for each run of
    generated tokens.
    """
    if role is not None:
        given = first < end and steps[first].how == "prompt"
        while end > first and _is_blank(steps[end - 1 : end]):
            end -= 1  # some templates put a line break before the next special token
        return [Message(role, start, first, end, end, given)]
    found = []
    at = first
    for given, group in groupby(steps[first:end], lambda step: step.how == "prompt"):
        stop = at + len(list(group))
        found.append(Message("user" if given else "assistant", start, at, stop, stop, given))
        start = at = stop
    return found


def was_cut_off(message: Message, steps: Sequence[Step]) -> bool:
    """Return True if a generated message was stopped, and the conversation continued after it.

    The token that ends such a message is from the chat template, not from the model.
    """
    wrote = message.role == "assistant" and not message.given and message.first < message.end
    return wrote and message.end < len(steps) and steps[message.end].how == "prompt"


def is_empty_answer(message: Message) -> bool:
    """Return True for an answer without text, for example if the next message came before it."""
    return message.role == "assistant" and message.first == message.end


def ends_with_answer(steps: Sequence[Step]) -> bool:
    """Return True if the last message of a conversation is an answer that contains text."""
    found = messages(steps)
    return bool(found) and found[-1].role == "assistant" and not is_empty_answer(found[-1])


def answer_start(tree: TokenTree) -> int:
    """Return the number of tokens before the last answer, or before the model's next answer.

    An answer of another model counts too, although all of its tokens are given.
    """
    if not ends_with_answer(tree.steps):
        return tree.current.prompt_length
    last = messages(tree.steps)[-1]
    return last.first if last.given else tree.current.prompt_length


def with_own_answers(steps: Sequence[Step], own: Sequence[Sequence[Token]]) -> tuple[Step, ...]:
    """Return the steps of a prompt, in which the model's own earlier answers count as generated.

    `own` contains the tokens of each earlier answer, or none if another model may have written it.
    The prompt contains the answers as the chat template arranges them.
    """
    marked = list(steps)
    answers = [
        each for each in messages(steps) if each.role == "assistant" and each.stop < len(steps)
    ]
    if len(answers) != len(own):
        return tuple(steps)  # the chat template does not say which messages are answers
    for answer, tokens in zip(answers, own, strict=True):
        if not tokens:
            continue
        ended = tokens[-1].special  # otherwise, the answer was cut off
        for index in range(answer.first, answer.end + ended):
            marked[index] = replace(marked[index], how="drawn")
    return tuple(marked)


def shown_positions(steps: Sequence[Step]) -> list[int]:
    """Return the positions of the tokens that are visible when the chat template is hidden."""
    return [
        index
        for message in messages(steps)
        if message.role != "system"
        for index in range(message.first, message.end)
        if not steps[index].token.special
    ]


class LastMessage(NamedTuple):
    """The text of the learner's last message, and the number of tokens before it.

    The number is 0 for the first message of a conversation.
    """

    text: str
    before: int


def last_message(tree: TokenTree | None) -> LastMessage | None:
    """Return the learner's last message, or None if there is none."""
    found = messages(tree.steps) if tree else ()
    mine = [each for each in found if each.role == "user" and each.given]
    if tree is None or not mine:
        return None
    text = text_of(tree.steps[mine[-1].first : mine[-1].end])
    return LastMessage(text, mine[-1].start if len(mine) > 1 else 0)


def path_to_extend(tree: TokenTree | None, *, replaces: bool) -> tuple[Token, ...]:
    """Return the tokens before the next message or, if it replaces the last one, before that."""
    if tree is None:
        return ()
    last = last_message(tree) if replaces else None
    return tree.tokens[: last.before] if last else tree.tokens


def earlier_texts(state: State) -> tuple[str, ...]:
    """Return the texts that the learner entered earlier, oldest first.

    In a chat, the last message comes last, so that the first press of ↑ brings it back.
    """
    earlier = state.document.earlier
    last = last_message(state.tree) if state.mode == "chat" else None
    return (*(each for each in earlier if each != last.text), last.text) if last else earlier
