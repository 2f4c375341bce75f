"""Assign ids to the tokens of a service that does not publish its vocabulary.

Only the bytes of these tokens are known. The id of a token is a hash of its bytes, so it is the
same in every process. After a restart, the engine needs only the bytes of the tokens.

A conversation is a sequence of tokens too. Special tokens in it mark the role of each speaker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from tutor.errors import TextError
from tutor.lm.distribution import ChatMessage, Token
from tutor.vendors.service import Alternative

_FIRST = 256
"""The first id of a regular token. Smaller ids are reserved for special tokens."""


def _mark(id_: int, text: str) -> Token:
    return Token(id_, text, text.encode(), special=True)


SYSTEM, USER, ASSISTANT = _mark(1, "<system>"), _mark(2, "<user>"), _mark(3, "<assistant>")
END = _mark(4, "<end>")
"""The special token that ends the model's text or turn."""

BREAK = Token(5, "\n", b"\n")
"""A line break that separates two turns on the screen but belongs to no message."""

ROLES = (SYSTEM, USER, ASSISTANT)
_ROLES = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT}
_MARKS = {mark.id: mark for mark in (SYSTEM, USER, ASSISTANT, END, BREAK)}


class Vocabulary:
    """The tokens that this process has seen so far."""

    def __init__(self) -> None:
        self._tokens: dict[int, Token] = dict(_MARKS)
        self._server_ids: dict[bytes, int] = {}

    def token_of(self, alternative: Alternative) -> Token:
        """Return the token of an alternative, and remember the id that the server gave it."""
        if alternative.ends:
            return END
        if alternative.id is not None:
            self._server_ids[alternative.data] = alternative.id
        return self.token(alternative.data)

    def server_ids(self, tokens: Sequence[Token]) -> tuple[int, ...] | None:
        """Return the server's ids of these tokens, or None if one of them is unknown."""
        found = [self._server_ids.get(token.data) for token in tokens]
        known = tuple(id_ for id_ in found if id_ is not None)
        return known if len(known) == len(found) else None

    def token(self, data: bytes) -> Token:
        """Return the token with these bytes."""
        id_ = id_of(data)
        found = self._tokens.get(id_)
        if found is None:
            found = Token(id_, data.decode("utf-8", "replace"), data)
            self._tokens[id_] = found
        return found

    def learn(self, ids: Sequence[int], data: Sequence[bytes]) -> None:
        """Add tokens with these ids and bytes, which this process may not have seen yet."""
        for id_, each in zip(ids, data, strict=False):
            if id_ not in _MARKS and id_ == id_of(each):
                self.token(each)

    def tokens(self, ids: Iterable[int]) -> tuple[Token, ...]:
        """Return the tokens with these ids. Raises `TextError` for an unknown id."""
        try:
            return tuple(self._tokens[id_] for id_ in ids)
        except KeyError as error:
            raise TextError(
                f"The engine has no token with id {error}.",
                "Press e, then Enter, to restart the text.",
            ) from error


def id_of(data: bytes) -> int:
    """Return the id of the token with these bytes: a 56-bit hash, above all special tokens."""
    return _FIRST + int.from_bytes(blake2b(data, digest_size=7).digest(), "big")


def conversation(vocabulary: Vocabulary, messages: Iterable[ChatMessage]) -> list[Token]:
    """Return the tokens of a conversation, up to the start of the assistant's next answer."""
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
    """Return the messages of a conversation.

    The last message is the assistant's answer so far, which may be empty. Raises `TextError` if a
    message ends in the middle of a character.
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
    """Decode bytes as UTF-8. Raises `TextError` if they end in the middle of a character."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError(
            "The text ends in the middle of a character and cannot be sent to a server.",
            "Press u to undo the last token, then choose one that completes the character.",
        ) from error
