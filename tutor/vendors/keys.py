"""Keys of remote services: from the environment, or else from the system's keyring.

A key is a `Secret` from where it is read to where it is sent. It is never stored, shown or logged.
"""

from __future__ import annotations

import os

from tutor.environment import keys_held
from tutor.vendors.catalogue import ServiceCard

KEYRING_SERVICE = "tutor"
"""The service name in the keyring: `keyring set tutor OPENAI_API_KEY` stores a key.

An entry has the name of the environment variable.
"""

HIDDEN = "***"


class Secret:
    """Text that stays hidden unless it is requested by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, to be put into the request that carries it and nowhere else."""
        return self._text

    def hide_in(self, text: str) -> str:
        """Return `text` without this secret: servers often repeat what they were sent."""
        hidden = text.replace(self._text, HIDDEN) if self._text else text
        # some repeat only its beginning and end, with asterisks between
        for part in (self._text[:8], self._text[-6:]):
            if len(self._text) >= 16:
                hidden = hidden.replace(part, HIDDEN)
        return hidden

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, specification: str) -> str:
        return HIDDEN

    def __reduce__(self) -> str:
        raise TypeError("A secret cannot be stored.")


def find_key(card: ServiceCard) -> Secret | None:
    """Return the key for this service, or None if there is none."""
    return from_environment(card) or _from_keyring(card)


def from_environment(card: ServiceCard) -> Secret | None:
    """Return the key from the environment, or None.

    This is fast and does not import the keyring's client, for the process that draws the screen.
    """
    for variable in card.key_variables:
        if text := os.environ.get(variable, "").strip():
            return Secret(text)
    return None


def has_key(card: ServiceCard) -> bool:
    """Return whether there is a key, even in the engine, which does not inherit keys."""
    return not keys_held().isdisjoint(card.key_variables) or _from_keyring(card) is not None


def _from_keyring(card: ServiceCard) -> Secret | None:
    """Return the key from the keyring. If the keyring cannot be used, there is no key."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    for variable in card.key_variables:
        try:
            text = keyring.get_password(KEYRING_SERVICE, variable)
        except (KeyringError, OSError, RuntimeError, ValueError):
            return None
        if text and text.strip():
            return Secret(text.strip())
    return None
