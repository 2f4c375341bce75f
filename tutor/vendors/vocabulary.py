"""Tokens of a service that does not publish its vocabulary.

Only the bytes of such a token are known, so they are what identifies it: its id is a hash of them,
the same in every process. An engine that has restarted only needs the bytes again. A conversation
is one path of tokens too, in which special tokens say who speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from tutor.errors import TextError
from tutor.lm.distribution import ChatMessage, Token

_FIRST = 256
"""The first id of a token with bytes; smaller ids are for special tokens."""


def _mark(id_: int, text: str) -> Token:
    return Token(id_, text, text.encode(), special=True)


SYSTEM, USER, ASSISTANT = _mark(1, "<system>"), _mark(2, "<user>"), _mark(3, "<assistant>")
END = _mark(4, "<end>")
"""The end of the model's text or turn."""

BREAK = Token(5, "\n", b"\n")
"""A line break between two turns on the screen; it belongs to no message."""

_ROLES = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT}
_MARKS = {mark.id: mark for mark in (SYSTEM, USER, ASSISTANT, END, BREAK)}


class Vocabulary:
    """The tokens seen so far."""

    def __init__(self) -> None:
        self._tokens: dict[int, Token] = dict(_MARKS)

    def token(self, data: bytes) -> Token:
        """Return the token with these bytes."""
        id_ = id_of(data)
        found = self._tokens.get(id_)
        if found is None:
            found = Token(id_, data.decode("utf-8", "replace"), data)
            self._tokens[id_] = found
        return found

    def learn(self, ids: Sequence[int], data: Sequence[bytes]) -> None:
        """Add tokens, with their bytes, that this process may not have seen yet."""
        for id_, each in zip(ids, data, strict=False):
            if id_ not in _MARKS and id_ == id_of(each):
                self.token(each)

    def tokens(self, ids: Iterable[int]) -> tuple[Token, ...]:
        """Return the tokens with these ids. Raises `TextError` for an unknown id."""
        try:
            return tuple(self._tokens[id_] for id_ in ids)
        except KeyError as error:
            raise TextError(
                f"The engine does not know token {error}.",
                "Press e, then Enter, to start the text again.",
            ) from error


def id_of(data: bytes) -> int:
    """Return the id of a token: 56 bits of a hash, above the ids of special tokens."""
    return _FIRST + int.from_bytes(blake2b(data, digest_size=7).digest(), "big")


def conversation(vocabulary: Vocabulary, messages: Iterable[ChatMessage]) -> list[Token]:
    """Return the path of a conversation, up to where the assistant's answer begins."""
    path: list[Token] = []
    for message in messages:
        path += [_ROLES[message.role], vocabulary.token(message.content.encode())]
        if message.role == "assistant":
            path.append(END)
        path.append(BREAK)
    return [*path, ASSISTANT]


def is_conversation(path: Sequence[Token]) -> bool:
    return bool(path) and path[0] in _ROLES.values()


def messages(path: Sequence[Token]) -> tuple[ChatMessage, ...]:
    """Return the conversation on a path.

    The last message is the assistant's answer as far as it is written, which may be empty. Raises
    `TextError` if its bytes end in the middle of a character.
    """
    found: list[tuple[str, bytes]] = []
    for token in path:
        role = next((name for name, mark in _ROLES.items() if mark == token), None)
        if role is not None:
            found.append((role, b""))
        elif token not in (END, BREAK):
            found[-1] = (found[-1][0], found[-1][1] + token.data)
    return tuple(ChatMessage(role, text_of(data)) for role, data in found)  # type: ignore[arg-type]


def text_of(data: bytes) -> str:
    """Return bytes as text. Raises `TextError` if they end in the middle of a character."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError(
            "The text ends in the middle of a character, which cannot be sent to a server.",
            "Press u to undo the last token, and choose one that completes a character.",
        ) from error
