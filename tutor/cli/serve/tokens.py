"""Create and check the tokens in learners' addresses.

A token allows a visitor to use one learner's progress. It consists of the learner's id and a keyed
hash (BLAKE2b, 128 bits) of the id. The server stores only the key, and a learner's name does not
reveal the token. Every new learner gets a random id. The id zero belongs to the owner of the
machine.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from pathlib import Path

from tutor import private
from tutor.learner import disk

_ID_BYTES = 8
_HASH_BYTES = 16
_KEY_BYTES = 32
_LETTERS = (_ID_BYTES + _HASH_BYTES) * 4 // 3
_OWNER = bytes(_ID_BYTES)


class Tokens:
    """A secret key, with methods that create and check tokens.

    `owner` is the learner name of the machine's owner.
    """

    def __init__(self, key: bytes, owner: str) -> None:
        self._key = key
        self._owner = owner

    @property
    def of_owner(self) -> str:
        return self._signed(_OWNER)

    def new(self) -> str:
        """Return the token of a new learner."""
        return self._signed(secrets.token_bytes(_ID_BYTES))

    def learner(self, token: str) -> str | None:
        """Return the name of the learner with this token, or None if the token is not valid."""
        if len(token) != _LETTERS or not token.isascii():
            return None
        try:
            learner = urlsafe_b64decode(token)[:_ID_BYTES]
        except ValueError:
            return None
        if not secrets.compare_digest(token, self._signed(learner)):
            return None
        return self._owner if learner == _OWNER else f"web-{learner.hex()}"

    def _signed(self, learner: bytes) -> str:
        digest = blake2b(learner, key=self._key, digest_size=_HASH_BYTES).digest()
        return urlsafe_b64encode(learner + digest).decode()


def stored_key(path: Path) -> bytes:
    """Return the key stored at `path`. If there is none, create a private file with a new key.

    Raises `StoreError`.
    """
    with disk.failures_in_words(path, "read"):
        key = path.read_bytes() if path.is_file() else b""
    if len(key) != _KEY_BYTES:
        key = secrets.token_bytes(_KEY_BYTES)
        with disk.failures_in_words(path, "saved"):
            private.make_folder(path.parent)
            disk.replace(path, key)
    return key
