"""What the processes that tutor starts inherit: everything but keys.

A key of a remote service belongs to the process that was given it. The engine is handed one only
where the learner has agreed that something is sent (`tutor.vendors.permissions`); the package
client never needs any, nor the other secrets that an environment may have.
"""

import os
from collections.abc import Mapping

KEY_SUFFIX = "_API_KEY"
"""The variables of all services that tutor knows end so, and those of most others."""

_SECRETS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_CREDENTIALS")
_OF_PACKAGE_CLIENTS = ("PIP_", "UV_")

HELD = "TUTOR_KEYS_HELD"
"""Tells a child the names of the variables with keys that its parent has, and no more."""


def without_keys() -> dict[str, str]:
    """The environment for a child process."""
    kept = {name: value for name, value in os.environ.items() if not is_key(name)}
    held = sorted(name for name, value in os.environ.items() if is_key(name) and value.strip())
    return kept | {HELD: " ".join(held)} if held else kept


def without_secrets() -> dict[str, str]:
    """The environment for a program of somebody else, which needs neither our keys nor any other
    secret. Those of the package clients themselves, by which they reach a private index, stay."""
    environment = without_keys()
    return {
        name: value
        for name, value in environment.items()
        if name.upper().startswith(_OF_PACKAGE_CLIENTS) or not name.upper().endswith(_SECRETS)
    }


def keys_held(environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Names of the variables with keys that this process or its parent has."""
    environment = os.environ if environment is None else environment
    own = {name for name, value in environment.items() if is_key(name) and value.strip()}
    return frozenset(own.union(environment.get(HELD, "").split()))


def is_key(name: str) -> bool:
    return name.upper().endswith(KEY_SUFFIX)
