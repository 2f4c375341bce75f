"""Find the API keys of remote services in the environment or the system's keyring.

A key is wrapped in a `Secret` from the moment it is read until it is sent. It is never stored,
displayed or logged.
"""

from __future__ import annotations

import os

from tutor.environment import keys_held
from tutor.vendors.catalogue import ServiceCard

KEYRING_SERVICE = "tutor"
"""The service name in the keyring.

`keyring set tutor OPENAI_API_KEY` stores a key. Each entry has the same name as the environment
variable for the key.
"""

HIDDEN = "***"


class Secret:
    """A string that is never displayed by accident: only `reveal` returns it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret text. Call this only in the request that sends it."""
        return self._text

    def hide_in(self, text: str) -> str:
        """Return `text` with this secret masked, because servers often repeat it in messages."""
        hidden = text.replace(self._text, HIDDEN) if self._text else text
        # Some servers repeat only the beginning and end of the key, with asterisks in between.
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
        raise TypeError("A secret cannot be pickled.")


def find_key(card: ServiceCard) -> Secret | None:
    """Return the API key for this service, or None if there is none."""
    return from_environment(card) or _from_keyring(card)


def from_environment(card: ServiceCard) -> Secret | None:
    """Return the API key from the environment, or None.

    This does not import the keyring library, which is slow. The process that draws the screen can
    therefore call it.
    """
    for variable in card.key_variables:
        if text := os.environ.get(variable, "").strip():
            return Secret(text)
    return None


def has_key(card: ServiceCard) -> bool:
    """Return True if there is an API key.

    This also works in the engine, which does not inherit keys.
    """
    return not keys_held().isdisjoint(card.key_variables) or _from_keyring(card) is not None


def _from_keyring(card: ServiceCard) -> Secret | None:
    """Return the API key from the keyring, or None if there is no key or no keyring."""
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
