"""Test the field for the name and address of a remote model."""

from __future__ import annotations

import pytest

from tutor.errors import UsageError
from tutor.labs.kit.remote import EXAMPLE, Add, named


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("openai:some-model", "address is missing"),
        ("  ", "name is missing"),
        ("some-model http://127.0.0.1:1/v1", "does not specify a remote model"),
        ("openai: http://127.0.0.1:1/v1", "has no default model"),
        ("openai:some-model 127.0.0.1", "not a valid server address"),
        ("openai:some-model http://not_a,host/v1", "not a valid server address"),
        ("openai:some-model http://not a host", "more than a name and an address"),
    ],
)
def test_an_invalid_name_or_address_is_refused(written: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        named(written)


def test_a_valid_name_and_address_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert named(EXAMPLE) == Add("openai:NAME", "http://127.0.0.1:8080/v1")
    assert named(" claude:another ").model.service.id == "claude"
    monkeypatch.setenv("TUTOR_BASE_URL", "http://cluster:8000/v1")
    assert named("openai:some-model").model.host == "cluster:8000"
