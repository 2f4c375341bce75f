"""Test how a conversation is laid out: paragraphs, wide characters, hostile text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.engine.fake_engine import VOCABULARY, split
from tutor.app.explorer.chat.layout import Conversation, drawn, lay_out, top_line
from tutor.lm.token_tree import How, Step

ASKED = "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n"
ANSWER = "<|im_start|>assistant\n"


def said(message: str, answer: str) -> list[Step]:
    given = split(ASKED.format(message) + ANSWER, special=True)
    return [
        *(Step(token, "prompt") for token in given),
        *(Step(token, "drawn") for token in split(answer, special=True)),
    ]


def laid_out(conversation: Conversation, width: int) -> list[str]:
    return [drawn(line, conversation, None).plain for line in lay_out(conversation, width)]


def test_speakers_and_paragraphs() -> None:
    steps = said("Hello", "\nThe cat sat on a mat.\n\nYes, the cat<|im_end|>")
    assert laid_out(Conversation(steps, name="Fake"), 16) == [
        "You",
        "  Hello",
        "",
        "Fake",
        "  The cat sat on",
        "  a mat.",
        "  ",
        "  Yes, the cat",
    ]


def test_marks_show_the_chat_template_and_the_system_message() -> None:
    lines = laid_out(Conversation(said("Hello", "Yes"), name="Fake", marks=True), 60)
    assert lines[:3] == [
        "System message",
        "  <|im_start|>system⏎",
        "  Be kind.<|im_end|>⏎",
    ]
    assert "  <|im_start|>assistant⏎" in lines


def test_a_message_is_shown_before_it_is_tokenized() -> None:
    steps = said("Hello", "Yes")
    assert laid_out(Conversation(steps, name="Fake", pending="So\nwhat"), 40)[-4:] == [
        "",
        "You",
        "  So",
        "  what",
    ]


TOKENS = st.lists(st.tuples(st.sampled_from(VOCABULARY), st.sampled_from(["prompt", "drawn"])))


@given(TOKENS, st.integers(8, 40), st.booleans())
def test_any_text_stays_within_its_width_and_harmless(
    tokens: list[tuple[object, How]], width: int, marks: bool
) -> None:
    steps = [Step(token, how) for token, how in tokens]  # type: ignore[arg-type]
    conversation = Conversation(steps, name="Fake", marks=marks, pending="\x1b[2J中文[b]" * 9)
    for line in lay_out(conversation, width):
        text = drawn(line, conversation, None).plain
        assert line.speaker or cell_len(text) <= width
        assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in text)
        assert "\u202e" not in text


def test_long_words_and_wide_characters_are_broken() -> None:
    steps = said("中文" * 9, "Paris" * 9)
    lines = laid_out(Conversation(steps, name="Fake"), 14)
    assert "".join(lines[1:4]).replace(" ", "") == "中文" * 9
    assert max(map(cell_len, lines)) <= 14


@given(st.integers(0, 300), st.integers(0, 299), st.integers(1, 300), st.integers(2, 40))
def test_the_view_always_contains_the_line_in_focus(
    before: int, at: int, count: int, room: int
) -> None:
    at = min(at, count - 1)
    top = top_line(before, at, count, room)
    assert 0 <= top <= max(0, count - room)
    assert top <= at < top + room


def test_the_view_stays_where_it_was_if_possible() -> None:
    assert top_line(10, 12, 100, 8) == 10
    assert top_line(10, 99, 100, 8) == 92
