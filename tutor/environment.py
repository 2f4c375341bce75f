"""Build the environment of child processes, without keys.

Only the process that was started with a remote service's key has it in its environment. The engine
receives the key after the learner has consented to sending text (`tutor.vendors.permissions`).
Package clients never need a key or any other secret from the environment.
"""

import os
from collections.abc import Mapping

KEY_SUFFIX = "_API_KEY"
"""The suffix of every key variable that tutor uses, and of most other programs' key variables."""

_SECRETS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_CREDENTIALS")
_OF_PACKAGE_CLIENTS = ("PIP_", "UV_")

HELD = "TUTOR_KEYS_HELD"
"""The variable that passes the names of the parent's keys, but not the keys, to a child process."""


def without_keys() -> dict[str, str]:
    """Return the environment for a child process of ours, without keys."""
    kept = {name: value for name, value in os.environ.items() if not is_key(name)}
    held = sorted(name for name, value in os.environ.items() if is_key(name) and value.strip())
    return kept | {HELD: " ".join(held)} if held else kept


def without_secrets() -> dict[str, str]:
    """Return the environment for a third-party program, without keys and other secrets.

    The variables of package clients stay, because the clients need them to reach a private index.
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
