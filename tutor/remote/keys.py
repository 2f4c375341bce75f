"""Keys of remote services: from the environment first, then from the system's keyring.

A key is a `Secret` from where it is read to where it is sent. It is never written anywhere, and
never part of what is shown or logged.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from tutor.remote.catalogue import ServiceCard, key_variables

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


def from_environment(
    card: ServiceCard, environment: Mapping[str, str] | None = None
) -> Secret | None:
    """Quick, and without the keyring's client: for the process that draws the screen."""
    environment = os.environ if environment is None else environment
    for variable in card.key_variables:
        if text := environment.get(variable, "").strip():
            return Secret(text)
    return None


def has_key(card: ServiceCard) -> bool:
    """Whether there is one, also in the engine, which has not inherited it."""
    told = os.environ.get(_TOLD, "").split()
    return any(variable in told for variable in card.key_variables) or find_key(card) is not None


def without_keys(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a child process. Keys are not inherited: they are handed over where
    the learner has agreed to that (`tutor.remote.permissions`). Only their names are told."""
    environment = os.environ if environment is None else environment
    hidden = key_variables()
    kept = {name: value for name, value in environment.items() if name not in hidden}
    held = sorted(name for name in hidden if environment.get(name, "").strip())
    return kept | {_TOLD: " ".join(held)} if held else kept


_TOLD = "TUTOR_KEYS_HELD"
"""Names of the variables with keys that the parent process has."""


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
