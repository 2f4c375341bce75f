"""Tokens of a service that does not tell its vocabulary.

All that is known of such a token is its bytes, so these are what makes it the same token: its id is
a hash of them, the same in every process. An engine that was started anew need only be told the
bytes again. A conversation is one path of tokens too: marks say who speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from tutor.errors import TextError
from tutor.lm.distribution import ChatMessage, Token

_FIRST = 256
"""Ids below are for marks."""


def _mark(id_: int, text: str) -> Token:
    return Token(id_, text, text.encode(), special=True)


SYSTEM, USER, ASSISTANT = _mark(1, "<system>"), _mark(2, "<user>"), _mark(3, "<assistant>")
END = _mark(4, "<end>")
"""Where the model ended its text or its turn."""

BREAK = Token(5, "\n", b"\n")
"""Stands between two turns on the screen; no part of what anybody said."""

_ROLES = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT}
_MARKS = {mark.id: mark for mark in (SYSTEM, USER, ASSISTANT, END, BREAK)}


class Vocabulary:
    """The tokens met so far."""

    def __init__(self) -> None:
        self._tokens: dict[int, Token] = dict(_MARKS)

    def token(self, data: bytes) -> Token:
        """The token with these bytes."""
        id_ = id_of(data)
        found = self._tokens.get(id_)
        if found is None:
            found = Token(id_, data.decode("utf-8", "replace"), data)
            self._tokens[id_] = found
        return found

    def learn(self, ids: Sequence[int], data: Sequence[bytes]) -> None:
        """What a client says of tokens that this process may not have met."""
        for id_, each in zip(ids, data, strict=False):
            if id_ not in _MARKS and id_ == id_of(each):
                self.token(each)

    def tokens(self, ids: Iterable[int]) -> tuple[Token, ...]:
        """Raises `TextError` for an id that nothing is known of."""
        try:
            return tuple(self._tokens[id_] for id_ in ids)
        except KeyError as error:
            raise TextError(
                f"Token {error} is not known here.", "Start the text again: e, then Enter."
            ) from error


def id_of(data: bytes) -> int:
    """56 bits of a hash, above the ids of the marks."""
    return _FIRST + int.from_bytes(blake2b(data, digest_size=7).digest(), "big")


def conversation(vocabulary: Vocabulary, messages: Iterable[ChatMessage]) -> list[Token]:
    """The path of a conversation, up to where the assistant is to speak."""
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
    """The conversation on a path; the last message is the assistant's as far as it is written, and
    empty where it has not begun. Raises `TextError` for bytes that are no text yet."""
    found: list[tuple[str, bytes]] = []
    for token in path:
        role = next((name for name, mark in _ROLES.items() if mark == token), None)
        if role is not None:
            found.append((role, b""))
        elif token not in (END, BREAK):
            found[-1] = (found[-1][0], found[-1][1] + token.data)
    return tuple(ChatMessage(role, text_of(data)) for role, data in found)  # type: ignore[arg-type]


def text_of(data: bytes) -> str:
    """Raises `TextError` for what ends in the middle of a character."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError(
            "The text ends in the middle of a character, and a server takes whole ones only.",
            "Go back with b, and choose a token that is one.",
        ) from error
