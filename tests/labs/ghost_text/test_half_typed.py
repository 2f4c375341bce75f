"""Test token healing: the tokens that were taken back can be generated again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import small_model
from tutor.labs.ghost_text.half_typed import Beginnings, take_back

TOKENIZER = small_model().tokenizer
BEGINNINGS = Beginnings(TOKENIZER, small_model().network.config.vocabulary_size)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_kept_and_taken_back_tokens_make_up_the_text(text: str) -> None:
    kept, typed = take_back(TOKENIZER, text)
    assert kept
    assert TOKENIZER.decode(kept) + typed == text.encode()


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("    return ", b" "),
        ("def f():\n    ", b"\n    "),
        ("x = 1\n\n  ", b"\n\n  "),
        ("The capital of Fra", b" Fra"),
        ("x.cels", b"cels"),
    ],
)
def test_the_whole_last_word_or_the_white_space_is_taken_back(text: str, typed: bytes) -> None:
    assert take_back(TOKENIZER, text)[1] == typed


def test_a_single_token_is_kept() -> None:
    assert take_back(TOKENIZER, "a") == (TOKENIZER.encode("a"), b"")


@given(st.sampled_from([b" ", b" the", b"t", b"\n    ", " é".encode(), "é".encode()[:1]]))
def test_fitting_tokens_agree_with_a_search_through_all(typed: bytes) -> None:
    every = {
        id_: token.data
        for id_ in range(small_model().network.config.vocabulary_size)
        if (token := TOKENIZER.token(id_)).data and not token.special
    }
    by_search = {
        id_ for id_, data in every.items() if data.startswith(typed) or typed.startswith(data)
    }
    found = BEGINNINGS.fitting(typed)
    assert set(found) == by_search
    assert len(found) == len(by_search)
