"""Build a conversation again for another model, because token ids belong to one model.

The messages are kept as text. The new model's chat template arranges them, and its tokenizer splits
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.app.explorer.chat.hints import KEPT
from tutor.app.explorer.chat.messages import messages
from tutor.errors import TextError
from tutor.language import _
from tutor.lm.distribution import ChatMessage
from tutor.lm.token_tree import TokenTree, given_steps, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tutor.app.explorer.chat.messages import Message
    from tutor.lm.distribution import Token
    from tutor.lm.token_tree import Branch, Step

_DIFFERENT = _("The chat template of this model changes the messages of the chat.")


def conversations(tree: TokenTree) -> tuple[tuple[ChatMessage, ...], ...]:
    """Return the messages of each branch of a conversation."""
    return tuple(chat_messages(branch) for branch in tree.branches)


def chat_messages(branch: Branch) -> tuple[ChatMessage, ...]:
    """Return the messages of a branch of a conversation.

    System messages are left out, because they come from the chat template of the earlier model. So
    is an answer at the end that has no text yet.
    """
    said = [
        ChatMessage(each.role, text_of(branch.steps[each.first : each.end]).strip())
        for each in _without_system(branch.steps)
    ]
    if len(said) > 1 and said[-1].role == "assistant" and not said[-1].content:
        said.pop()
    return tuple(said)


def rebuilt(
    old: TokenTree, branches: Sequence[Sequence[Token]], end_ids: Collection[int]
) -> TokenTree:
    """Return the tree of a rebuilt conversation, with the focus at the end of the current branch.

    `branches` contains the new tokens of each branch of `old`, up to the start of the model's next
    answer, and `end_ids` are the ids of the new model's end tokens. All tokens count as given,
    because the new model has drawn none of them. Raises `TextError` if the new tokens do not
    contain the same messages.
    """
    new = tuple(
        replace(branch, steps=_steps(branch, given_steps(tokens), end_ids))
        for branch, tokens in zip(old.branches, branches, strict=True)
    )
    return TokenTree(new, old.number, 0).switch(old.number)


def _steps(old: Branch, steps: tuple[Step, ...], end_ids: Collection[int]) -> tuple[Step, ...]:
    """Return the steps of a rebuilt branch, which ends where the old one ends."""
    wanted = chat_messages(old)
    found = _without_system(steps)
    if [_kind(each, steps) for each in found[: len(wanted)]] != [
        (each.role, bool(each.content)) for each in wanted
    ]:
        raise TextError(_DIFFERENT, KEPT)
    if not wanted or wanted[-1].role != "assistant":
        return steps
    last = found[len(wanted) - 1]
    if _without_system(old.steps)[-1].end == len(old.steps):
        return steps[: last.end]  # the answer is not complete
    ends = (at + 1 for at in range(last.end, last.stop) if steps[at].token.id in end_ids)
    return steps[: next(ends, last.end)]


def _without_system(steps: Sequence[Step]) -> list[Message]:
    return [each for each in messages(steps) if each.role != "system"]


def _kind(message: Message, steps: Sequence[Step]) -> tuple[str, bool]:
    """Return the role of a message, and whether it contains any text."""
    return message.role, bool(text_of(steps[message.first : message.end]).strip())
