"""Test that formatted text has the promised width and cannot act on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.test_text import ANY_TEXT, can_act_on_a_terminal
from tutor.app.widgets import figures


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\x9b31m", "\u202e"])
def test_the_tail_of_a_hostile_text_is_visible(hostile: str) -> None:
    shown = figures.tail(f"hi {hostile}red", 40)
    assert shown.startswith("hi ")
    assert shown.endswith("red")
    assert not can_act_on_a_terminal(shown)


@given(ANY_TEXT, st.integers(2, 30))
def test_a_tail_fits_and_cannot_act_on_a_terminal(text: str, width: int) -> None:
    shown = figures.tail(text, width)
    assert cell_len(shown) <= width
    assert not can_act_on_a_terminal(shown)
