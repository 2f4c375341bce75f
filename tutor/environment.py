"""The environment that child processes inherit: everything except keys.

A key of a remote service belongs to the process that was given it. The engine gets one only if the
learner has consented to sending text (`tutor.vendors.permissions`). Package clients never need a
key, nor any other secret in the environment.
"""

import os
from collections.abc import Mapping

KEY_SUFFIX = "_API_KEY"
"""The end of the names of all key variables that tutor knows, and of most others."""

_SECRETS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_CREDENTIALS")
_OF_PACKAGE_CLIENTS = ("PIP_", "UV_")

HELD = "TUTOR_KEYS_HELD"
"""The variable that tells a child process the names, but not the values, of its parent's keys."""


def without_keys() -> dict[str, str]:
    """Return the environment for a child process."""
    kept = {name: value for name, value in os.environ.items() if not is_key(name)}
    held = sorted(name for name, value in os.environ.items() if is_key(name) and value.strip())
    return kept | {HELD: " ".join(held)} if held else kept


def without_secrets() -> dict[str, str]:
    """Return the environment for a program that is not ours, without keys and other secrets.

    Variables of package clients are kept, because the clients need them to reach a private
    index.
    """
    environment = without_keys()
    return {
        name: value
        for name, value in environment.items()
        if name.upper().startswith(_OF_PACKAGE_CLIENTS) or not name.upper().endswith(_SECRETS)
    }


def keys_held(environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the names of the key variables that this process or its parent has."""
    environment = os.environ if environment is None else environment
    own = {name for name, value in environment.items() if is_key(name) and value.strip()}
    return frozenset(own.union(environment.get(HELD, "").split()))


def is_key(name: str) -> bool:
    return name.upper().endswith(KEY_SUFFIX)
