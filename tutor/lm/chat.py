"""A conversation as the tokens that a chat model reads.

A chat model is a text model that was trained on conversations written in one fixed form, with
special tokens around each message. The form stands in the model's file as a Jinja template
(`tutor.lm.chat_template`).

What a person wrote never becomes a special token, even when it looks like one: marks in messages
are taken out before the template is rendered and put back, as plain text, afterwards.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tutor.errors import ModelUnsupported, TextError
from tutor.lm import chat_template
from tutor.lm.distribution import ChatMessage, common_length

if TYPE_CHECKING:
    from tutor.lm.language_model import LanguageModel


def text_ids(model: LanguageModel, text: str) -> list[int]:
    """The tokens of a raw text. Raises `TextError` if it is empty."""
    if not text:
        raise TextError("The text is empty.", "Enter at least one character.")
    return [*model.tokenizer.start_ids, *model.tokenizer.encode(text)]


def chat_ids(model: LanguageModel, messages: Sequence[ChatMessage]) -> list[int]:
    """The tokens of a conversation, up to where the assistant is to speak."""
    if not messages:
        raise TextError("The conversation is empty.", "Write a message first.")
    guard = _Guard(model)
    return guard.encode(guard.render(messages))


def turn_ids(model: LanguageModel, path: Sequence[int], text: str) -> list[int]:
    """The tokens to add to `path`, which ends in the assistant's answer, for the user's next
    message `text`: the end of the answer, unless it is there already, the message, and the
    beginning of the next answer.

    Found by rendering a conversation with a unique word as the answer and taking what follows it.
    """
    if not text.strip():
        raise TextError("The message is empty.", "Write something first.")
    guard = _Guard(model)
    answer = f"answer{secrets.token_hex(16)}"
    conversation = [
        ChatMessage("user", "question"),
        ChatMessage("assistant", answer),
        ChatMessage("user", text),
    ]
    _, found, rest = guard.render(conversation).partition(answer)
    if not found:
        raise ModelUnsupported("Its chat template leaves out what the assistant said.")
    added = guard.encode(rest)
    _, _, closing = guard.render(conversation[:2], generate=False).partition(answer)
    # Only the end of the answer can be there already; what comes after it is never left out, even
    # if the path happens to end with the same words.
    close = common_length(added, guard.encode(closing))
    return added[_overlap(path, added[:close]) :]


def _overlap(path: Sequence[int], added: Sequence[int]) -> int:
    """How many tokens at the end of `path` are those that `added` begins with."""
    longest = min(len(path), len(added))
    lengths = range(longest, 0, -1)
    return next((n for n in lengths if list(path[-n:]) == list(added[:n])), 0)


class _Guard:
    """Renders and encodes one conversation, keeping people's words and the template's marks
    apart."""

    def __init__(self, model: LanguageModel) -> None:
        if not model.chat_template:
            raise ModelUnsupported(
                "It has no chat template: it was not made for conversations.",
                "Step it through plain text instead, or choose a chat model.",
            )
        self._source = model.chat_template
        self._tokenizer = model.tokenizer
        self._marks = model.tokenizer.special_ids
        longest_first = sorted(self._marks, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._word = secrets.token_hex(16)
        self._hidden: list[str] = []

    def render(self, messages: Sequence[ChatMessage], *, generate: bool = True) -> str:
        """The conversation as the template writes it, marks in messages replaced by stand-ins."""
        shown = [
            {"role": message.role, "content": self._pattern.sub(self._hide, message.content)}
            for message in messages
        ]
        begin = self._tokenizer.decode(self._tokenizer.start_ids).decode()
        end = self._tokenizer.decode(self._tokenizer.end_ids[:1]).decode()
        return chat_template.render(self._source, shown, begin=begin, end=end, generate=generate)

    def encode(self, rendered: str) -> list[int]:
        """Token ids of rendered text: the template's marks special, everything else plain."""
        ids: list[int] = []
        end = 0
        for mark in self._pattern.finditer(rendered):
            ids += self._plain(rendered[end : mark.start()])
            ids.append(self._marks[mark[0]])
            end = mark.end()
        return ids + self._plain(rendered[end:])

    def _hide(self, mark: re.Match[str]) -> str:
        self._hidden.append(mark[0])
        return f"{self._word}.{len(self._hidden) - 1}."

    def _plain(self, text: str) -> list[int]:
        stand_in = re.compile(rf"{self._word}\.(\d+)\.")
        return self._tokenizer.encode(stand_in.sub(lambda n: self._hidden[int(n[1])], text))
