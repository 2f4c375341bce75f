"""Convert a conversation to token ids in the format that a chat model was trained on.

A chat model is a language model that was trained on conversations in one fixed format, with special
tokens around each message. The model file contains this format as a Jinja template
(`tutor.lm.chat_template`, which runs in `tutor.lm.template_process`).

A user's text never becomes a special token, even if it looks like one. Before the template is
rendered, any text that looks like a special token is replaced with a placeholder. After rendering,
the placeholders are replaced with the original text, which is encoded as ordinary text.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tutor.errors import ModelUnsupported, TextError
from tutor.lm import template_process
from tutor.lm.distribution import ChatMessage, common_length

if TYPE_CHECKING:
    from tutor.lm.language_model import WithVocabulary


def text_ids(model: WithVocabulary, text: str) -> list[int]:
    """Encode plain text as token ids, beginning with the model's start tokens.

    Raises `TextError` if the text is empty.
    """
    if not text:
        raise TextError("The text is empty.", "Enter at least one character.")
    return [*model.tokenizer.start_ids, *model.tokenizer.encode(text)]


def chat_ids(model: WithVocabulary, messages: Sequence[ChatMessage]) -> list[int]:
    """Encode a conversation as token ids, up to the start of the assistant's next message.

    Raises `TextError` if there are no messages.
    """
    if not messages:
        raise TextError("The conversation is empty.", "Write a message first.")
    guard = _Guard(model)
    return guard.encode(guard.render(messages))


def turn_ids(model: WithVocabulary, path: Sequence[int], text: str) -> list[int]:
    """Return the token ids that add the user's next message to a conversation.

    `path` contains the conversation's token ids up to the end of an assistant's answer, and `text`
    is the user's message. The result contains the tokens that close the answer (unless it is
    already closed), the message, and the tokens that open the next answer.

    To find these tokens, the function renders the chat template with a unique word in place of the
    answer, and encodes the text after this word. Raises `TextError` if the message is empty.
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
        raise ModelUnsupported("The model's chat template drops the assistant's messages.")
    added = guard.encode(rest)
    _, _, closing = guard.render(conversation[:2], generate=False).partition(answer)
    # The tokens that close the answer are added only if the path does not already end with them.
    # The tokens of the new message are always added, even if they repeat the end of the path.
    close = common_length(added, guard.encode(closing))
    return added[_overlap(path, added[:close]) :]


def _overlap(path: Sequence[int], added: Sequence[int]) -> int:
    """Return the length of the longest suffix of `path` that is a prefix of `added`."""
    longest = min(len(path), len(added))
    lengths = range(longest, 0, -1)
    return next((n for n in lengths if list(path[-n:]) == list(added[:n])), 0)


class _Guard:
    """A renderer for one conversation in which messages cannot contain special tokens."""

    def __init__(self, model: WithVocabulary) -> None:
        if not model.chat_template:
            raise ModelUnsupported(
                "The model has no chat template, so it was not made for conversations.",
                "Use plain text in the stepper instead, or choose a chat model.",
            )
        self._source = model.chat_template
        self._tokenizer = model.tokenizer
        self._special = model.tokenizer.special_ids
        longest_first = sorted(self._special, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._word = secrets.token_hex(16)
        self._hidden: list[str] = []

    def render(self, messages: Sequence[ChatMessage], *, generate: bool = True) -> str:
        """Render the conversation with the chat template.

        The result contains placeholders for text in messages that looks like a special token.
        """
        shown = [
            {"role": message.role, "content": self._pattern.sub(self._hide, message.content)}
            for message in messages
        ]
        begin = self._tokenizer.decode(self._tokenizer.start_ids).decode()
        end = self._tokenizer.decode(self._tokenizer.end_ids[:1]).decode()
        return template_process.render(self._source, shown, begin=begin, end=end, generate=generate)

    def encode(self, rendered: str) -> list[int]:
        """Encode rendered text as token ids.

        Special tokens are produced only where the template put them.
        """
        ids: list[int] = []
        end = 0
        for special in self._pattern.finditer(rendered):
            ids += self._plain(rendered[end : special.start()])
            ids.append(self._special[special[0]])
            end = special.end()
        return ids + self._plain(rendered[end:])

    def _hide(self, special: re.Match[str]) -> str:
        self._hidden.append(special[0])
        return f"{self._word}.{len(self._hidden) - 1}."

    def _plain(self, text: str) -> list[int]:
        placeholder = re.compile(rf"{self._word}\.(\d+)\.")
        return self._tokenizer.encode(placeholder.sub(lambda n: self._hidden[int(n[1])], text))
