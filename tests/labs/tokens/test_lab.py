"""Test that the tokens lab loses no byte of any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done
from tutor.errors import TextError
from tutor.labs.kit.actions import Choose, EditText, MoveFocus
from tutor.labs.tokens import lab as tokens
from tutor.labs.tokens.lab import CUTS

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(TEXT)
def test_the_parts_of_every_split_add_up_to_the_text(text: str) -> None:
    state = tokens.act(tokens.start(), EditText(text))
    for pieces in state.pieces.values():
        assert b"".join(piece.data for piece in pieces) == text.encode()


@pytest.mark.parametrize(
    "text", ["", " ", "a\n\nb", "\t12,345.6", "é🤷🏽‍♀️", "e\u0301", "שלום", "x = [i for i in y]\n"]
)
def test_the_tokens_add_up_to_the_text(text: str, tmp_path: Path) -> None:
    state = done("tokens", backend("tokens", tmp_path), EditText(text))
    assert b"".join(piece.data for piece in state.pieces["model"]) == text.encode()


def test_a_word_keeps_the_space_before_it() -> None:
    assert [piece.data for piece in tokens.words("  two\nwords ")] == [b"  two", b"\nwords", b" "]


def test_a_long_text_is_cut_and_the_rest_is_counted() -> None:
    state = tokens.act(tokens.start(), EditText("x" * (tokens.LONGEST + 5)))
    assert (len(state.text), state.left_out) == (tokens.LONGEST, 5)


def test_the_focus_stays_in_range(tmp_path: Path) -> None:
    there = backend("tokens", tmp_path)
    words, in_bytes = Choose(1, "cut"), Choose(3, "cut")
    assert done("tokens", there, MoveFocus(-3, "piece")).focus == 0
    assert done("tokens", there, words, MoveFocus(99, "piece")).focus == 3
    state = done("tokens", there, in_bytes, MoveFocus(5, "piece"), Choose(-2, "cut"))
    assert (state.cut, state.focus) == ("words", 0)


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextError):
        backend("tokens", tmp_path).answer(tokens.Question("\ud83d"))


def test_every_way_to_split_can_be_chosen() -> None:
    assert set(CUTS) == {"model", *tokens.start().pieces}
