from __future__ import annotations

from collections.abc import Iterator

import pytest
from remote.loopback import Loopback, loopback

from tutor.remote.catalogue import key_variables


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds, or sends, a key of whoever runs it."""
    for variable in key_variables():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback() as running:
        yield running
