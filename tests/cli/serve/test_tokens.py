"""Test that only addresses that the server gave out are accepted."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor import paths
from tutor.cli.serve.tokens import Tokens, stored_key

TOKENS = Tokens(b"k" * 32, "me")


def test_every_new_learner_is_another_one_with_a_valid_name() -> None:
    names = {TOKENS.learner(TOKENS.new()) for _ in range(20)}
    assert len(names) == 20
    for name in names:
        assert name is not None
        assert name.startswith("web-")
        assert paths.learner_folder(name).name == name


def test_a_token_belongs_to_the_same_learner_in_the_next_run() -> None:
    token = TOKENS.new()
    assert Tokens(b"k" * 32, "me").learner(token) == TOKENS.learner(token)


def test_the_token_of_the_owner_belongs_to_their_own_progress() -> None:
    assert TOKENS.learner(TOKENS.of_owner) == "me"


def test_tokens_of_another_key_are_not_accepted() -> None:
    other = Tokens(b"o" * 32, "me")
    assert other.learner(TOKENS.new()) is None
    assert other.learner(TOKENS.of_owner) is None


@pytest.mark.parametrize("token", [TOKENS.of_owner, TOKENS.new()], ids=["owner", "learner"])
def test_a_changed_or_cut_token_is_not_accepted(token: str) -> None:
    for place in range(len(token)):
        other = "B" if token[place] == "A" else "A"
        assert TOKENS.learner(token[:place] + other + token[place + 1 :]) is None
        assert TOKENS.learner(token[:place]) is None
    assert TOKENS.learner(token + "A") is None


@given(st.text(max_size=40) | st.text(min_size=32, max_size=32))
def test_any_other_text_is_not_accepted(text: str) -> None:
    assert TOKENS.learner(text) is None


def test_the_name_of_a_learner_does_not_contain_the_token() -> None:
    token = TOKENS.new()
    assert token[11:] not in str(TOKENS.learner(token))


def test_the_key_is_private_and_stays_the_same(tmp_path: Path) -> None:
    path = tmp_path / "new" / "browser.key"
    key = stored_key(path)
    assert len(key) == 32
    assert stored_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_not_a_key_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "browser.key"
    path.write_bytes(b"")
    key = stored_key(path)
    assert len(key) == 32
    assert path.read_bytes() == key
