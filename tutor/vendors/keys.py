"""Keys of remote services: from the environment first, then from the system's keyring.

A key is a `Secret` from where it is read to where it is sent. It is never written anywhere, and
never part of what is shown or logged.
"""

from __future__ import annotations

import os

from tutor.environment import keys_held
from tutor.vendors.catalogue import ServiceCard

KEYRING_SERVICE = "tutor"
"""`keyring set tutor OPENAI_API_KEY` puts one there: its entry is called as the variable is."""

HIDDEN = "***"


class Secret:
    """A text that shows itself only to who asks for it by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for the request that carries it, and for nothing else."""
        return self._text

    def hide_in(self, text: str) -> str:
        """`text` without this secret: servers repeat in messages what they were sent."""
        hidden = text.replace(self._text, HIDDEN) if self._text else text
        # and some repeat its beginning and end, with stars between
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
        raise TypeError("A secret is not written anywhere.")


def find_key(card: ServiceCard) -> Secret | None:
    """The key of this service; None where there is none."""
    return from_environment(card) or _from_keyring(card)


def from_environment(card: ServiceCard) -> Secret | None:
    """Quick, and without the keyring's client: for the process that draws the screen."""
    for variable in card.key_variables:
        if text := os.environ.get(variable, "").strip():
            return Secret(text)
    return None


def has_key(card: ServiceCard) -> bool:
    """Whether there is one, also in the engine, which has not inherited it."""
    return not keys_held().isdisjoint(card.key_variables) or _from_keyring(card) is not None


def _from_keyring(card: ServiceCard) -> Secret | None:
    """No client, no backend, a locked keyring: all of that is just no key."""
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
