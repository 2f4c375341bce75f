"""Test answers as text: they can be read again, but only if they are valid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.course.questions.answers import LONGEST, Answer
from tutor.course.questions.choices import Choice
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.question import Question
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.course.questions.text import TextQuestion

_CHOICES = tuple(Choice(text=text, why=".", right=text == "b") for text in "abc")
_COMMON: dict[str, Any] = {"id": "q", "ask": "?", "hint": "!", "why": "."}
SINGLE = SingleChoice(choices=_CHOICES, **_COMMON)
SEVERAL = SeveralChoices(choices=_CHOICES, **_COMMON)
ORDER = OrderQuestion(items=("a", "b", "c"), **_COMMON)
NUMBER = NumberQuestion(answer=2, **_COMMON)
TEXT = TextQuestion(accept=("yes",), **_COMMON)
COMPARE = ComparePrompts(prompts=("x", "y"), value="entropy", **_COMMON)
TOKEN = NextTokenQuestion(prompt="The", **_COMMON)


@pytest.mark.parametrize(
    ("question", "answer", "text"),
    [
        (SINGLE, 1, "2"),
        (SEVERAL, frozenset({2, 0}), "1,3"),
        (ORDER, (2, 0, 1), "3,1,2"),
        (NUMBER, "1e3 ", "1e3 "),
        (TEXT, "a, word", "a, word"),
        (TOKEN, " Paris", " Paris"),
    ],
)
def test_writing_and_reading_an_answer(question: Question, answer: Answer, text: str) -> None:
    assert question.as_text(answer) == text
    assert question.from_text(text) == answer


@given(
    st.sampled_from([SINGLE, SEVERAL, ORDER, NUMBER, TEXT]),
    st.one_of(st.text(), st.text("0123456789,- ")),
)
def test_any_text_can_be_graded_or_is_left_out(question: Question, text: str) -> None:
    answer = question.from_text(text)
    if answer is not None:
        question.grade(answer)


@pytest.mark.parametrize("text", ["", "0", "4", "1,1", "1,2", "²", "1.0", "9" * 5000])
def test_an_impossible_choice_is_left_out(text: str) -> None:
    assert SINGLE.from_text(text) is None


def test_half_a_character_is_stored_and_a_long_answer_is_cut() -> None:
    assert TEXT.as_text("a\ud83d").isprintable()
    assert len(TEXT.as_text("x" * 1000)) == LONGEST


@pytest.mark.parametrize(
    ("question", "text", "correct", "message", "marks"),
    [
        (SINGLE, "1", False, "Not yet.", ["wrong", "missed", "left"]),
        (SINGLE, "7", True, "Right: you answered “7”.", []),
        (TOKEN, " Paris", False, "Not yet: you answered “ Paris”.", []),
        (COMPARE, "2", True, "Right.", ["left", "right"]),
        (COMPARE, "2", False, "Not yet.", ["missed", "wrong"]),
    ],
)
def test_an_earlier_answer_is_graded_as_before(
    question: Question, text: str, correct: bool, message: str, marks: list[str]
) -> None:
    verdict = question.grade_again(text, correct=correct)
    assert (verdict.correct, verdict.message) == (correct, message)
    assert [note.mark for note in verdict.notes] == marks
