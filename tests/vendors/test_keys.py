from __future__ import annotations

import copy
import pickle
import sys
from types import ModuleType

import pytest

from tutor.environment import HELD, is_key, keys_held, without_keys
from tutor.vendors.catalogue import OWN_KEY, catalogue, remote_model
from tutor.vendors.keys import Secret, find_key, from_environment, has_key

KEY = "sk-0123456789abcdef-THE-SECRET"
OPENAI = remote_model("openai:").service
GEMINI = remote_model("gemini:").service


def test_a_secret_is_never_shown() -> None:
    secret = Secret(KEY)
    shown = f"{secret} {secret!r} {secret!s} {secret:>40} {[secret]}"
    assert KEY not in shown
    assert secret.reveal() == KEY
    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)


@pytest.mark.parametrize(
    "said",
    [f"bad key: {KEY}.", f"Incorrect API key provided: {KEY[:8]}****{KEY[-4:]}", f"{KEY}{KEY}"],
)
def test_a_secret_is_hidden_in_a_server_message(said: str) -> None:
    hidden = Secret(KEY).hide_in(said)
    assert KEY not in hidden
    assert KEY[:8] not in hidden


def test_an_empty_secret_hides_nothing() -> None:
    assert Secret("").hide_in("nothing") == "nothing"


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    _put_keyring(monkeypatch, {"OPENAI_API_KEY": "from the keyring"})
    found = find_key(OPENAI)
    assert found is not None
    assert found.reveal() == "from the keyring"
    monkeypatch.setenv("OPENAI_API_KEY", " from the environment\n")
    found = find_key(OPENAI)
    assert found is not None
    assert found.reveal() == "from the environment"


def test_variables_are_tried_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "second")
    found = from_environment(GEMINI)
    assert found is not None
    assert found.reveal() == "second"
    monkeypatch.setenv("GEMINI_API_KEY", "first")
    found = from_environment(GEMINI)
    assert found is not None
    assert found.reveal() == "first"


def test_a_missing_keyring_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_key(OPENAI) is None  # the null backend of these tests
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert find_key(OPENAI) is None


def test_a_broken_keyring_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _put_keyring(monkeypatch, {}, fails=True)
    assert find_key(OPENAI) is None
    assert not has_key(OPENAI)


def test_children_inherit_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("SOMEBODY_ELSES_API_KEY", KEY)
    environment = without_keys()
    assert KEY not in str(environment)
    assert environment["PATH"]
    assert keys_held(environment) == {"OPENAI_API_KEY", "SOMEBODY_ELSES_API_KEY"}
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv(HELD, environment[HELD])
    assert has_key(OPENAI)
    assert not has_key(GEMINI)


def test_every_variable_of_the_catalogue_is_kept_from_children() -> None:
    assert is_key(OWN_KEY)
    assert all(is_key(name) for card in catalogue() for name in card.key_variables)
    assert all(card.key_variables for card in catalogue())


def _put_keyring(
    monkeypatch: pytest.MonkeyPatch, entries: dict[str, str], *, fails: bool = False
) -> None:
    keyring, errors = ModuleType("keyring"), ModuleType("keyring.errors")

    class KeyringError(Exception):
        pass

    def get_password(service: str, name: str) -> str | None:
        if fails:
            raise KeyringError
        return entries.get(name) if service == "tutor" else None

    vars(keyring)["get_password"] = get_password
    vars(errors)["KeyringError"] = KeyringError
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
