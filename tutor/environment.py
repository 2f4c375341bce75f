"""Build the environment variables of child processes, without API keys.

Only the process that the learner started with an API key has this key in its environment. The
engine receives a key after the learner has consented to sending text (`tutor.vendors.permissions`).
pip and uv never need an API key, or any other secret, from the environment.
"""

import os
from collections.abc import Mapping

KEY_SUFFIX = "_API_KEY"
"""The suffix of every variable with an API key for tutor, and of most others."""

_SECRETS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_CREDENTIALS")
_OF_PACKAGE_CLIENTS = ("PIP_", "UV_")

HELD = "TUTOR_KEYS_HELD"
"""The variable that tells a child process the names of its parent's keys.

It does not contain the keys themselves.
"""


def without_keys() -> dict[str, str]:
    """Return the environment for a child process of tutor, without API keys."""
    kept = {name: value for name, value in os.environ.items() if not is_key(name)}
    held = sorted(name for name, value in os.environ.items() if is_key(name) and value.strip())
    return kept | {HELD: " ".join(held)} if held else kept


def without_secrets() -> dict[str, str]:
    """Return the environment for a program that isn't a part of tutor, without keys and secrets.

    The variables of pip and uv stay, because these programs need them to reach a private index.
    """
    environment = without_keys()
    return {
        name: value
        for name, value in environment.items()
        if name.upper().startswith(_OF_PACKAGE_CLIENTS) or not name.upper().endswith(_SECRETS)
    }


def keys_held(environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the names of the variables with API keys that this process or its parent has."""
    environment = os.environ if environment is None else environment
    own = {name for name, value in environment.items() if is_key(name) and value.strip()}
    return frozenset(own.union(environment.get(HELD, "").split()))


def is_key(name: str) -> bool:
    return name.upper().endswith(KEY_SUFFIX)
