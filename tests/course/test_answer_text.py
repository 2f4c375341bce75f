"""Answers as text: what is written can be read again, and only where it makes sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.course.questions.answer_text import LONGEST, as_text, from_text, graded_again
from tutor.course.questions.grading import grade
from tutor.course.questions.question import (
    Choice,
    ComparePrompts,
    NextTokenQuestion,
    NumberQuestion,
    OrderQuestion,
    Question,
    SeveralChoices,
    SingleChoice,
    TextQuestion,
)

_CHOICES = tuple(Choice(text=text, why=".", right=text == "b") for text in "abc")
_COMMON = {"id": "q", "ask": "?", "hint": "!", "why": "."}
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
def test_there_and_back(question: Question, answer: object, text: str) -> None:
    assert as_text(answer) == text  # type: ignore[arg-type]
    assert from_text(question, text) == answer


@given(
    st.sampled_from([SINGLE, SEVERAL, ORDER, NUMBER, TEXT]),
    st.one_of(st.text(), st.text("0123456789,- ")),
)
def test_whatever_stands_there_can_be_graded_or_is_left_out(question: Question, text: str) -> None:
    answer = from_text(question, text)
    if answer is not None:
        grade(question, answer)


@pytest.mark.parametrize("text", ["", "0", "4", "1,1", "1,2", "²", "1.0", "9" * 5000])
def test_what_is_no_choice_of_this_question_is_left_out(text: str) -> None:
    assert from_text(SINGLE, text) is None


def test_half_a_character_can_be_kept_and_a_long_answer_is_cut() -> None:
    assert as_text("a\ud83d").isprintable()
    assert len(as_text("x" * 1000)) == LONGEST


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
def test_an_earlier_answer_is_judged_as_it_was(
    question: Question, text: str, correct: bool, message: str, marks: list[str]
) -> None:
    verdict = graded_again(question, text, correct=correct)
    assert (verdict.correct, verdict.message) == (correct, message)
    assert [note.mark for note in verdict.notes] == marks
