"""Test that the terminal's answer about its background is understood, and never typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key

from tutor.app.terminal.background_color import BackgroundReported, Replies, is_light
from tutor.app.terminal.input import KeyParser

WHITE, BLACK = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\", "\x1b]11;rgb:00/00/00\x07"


@pytest.mark.parametrize(
    ("answer", "light"),
    [
        ("rgb:ffff/ffff/ffff", True),
        ("rgb:f/f/e", True),
        ("rgba:1e1e/1e1e/2e2e/ffff", False),
        ("#ffffff", None),
        ("", None),
    ],
)
def test_the_brightness_is_read(answer: str, light: bool | None) -> None:
    assert is_light(answer) is light


@given(st.integers(2, len(WHITE) - 1))
def test_an_answer_in_two_parts_is_one_answer(cut: int) -> None:
    parser = KeyParser()
    messages = [*parser.feed("a" + WHITE[:cut]), *parser.feed(WHITE[cut:] + "b")]
    assert [each.key if isinstance(each, Key) else each for each in messages] == [
        "a",
        BackgroundReported(True),
        "b",
    ]


@given(st.text(alphabet="ab\x1b]1;:/rgf\\\x07", max_size=30))
def test_other_input_arrives_unchanged(text: str) -> None:
    replies = Replies()
    passed, reports = replies.taken_from(text + "z")
    if "\x1b]11;" not in text:
        assert (passed, reports) == (text + "z", [])


def test_two_answers_and_keys_between_them() -> None:
    passed, reports = Replies().taken_from(f"x{WHITE}y{BLACK}z")
    assert passed == "xyz"
    assert [each.light for each in reports] == [True, False]
