"""Test the descriptions of mistakes in wrong answers, whatever is in a log."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.classroom.class_of_learners import QUESTIONS
from tutor.classroom.mistakes import mistakes
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.match import MatchQuestion, Pair
from tutor.course.questions.question import Question

MATCH = MatchQuestion(
    id="match",
    ask="Match.",
    hint="Look.",
    why="So.",
    pairs=tuple(Pair(left=f"left {n}", right=f"right {n}", why="So.") for n in (1, 2, 3)),
)
COMPARE = ComparePrompts(
    id="compare", ask="After which?", hint="Try.", why="So.", prompts=("One", "Two"), token="␣x"
)
ALL = {**QUESTIONS, "match": MATCH, "compare": COMPARE}


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("cosine", "3", ["10"]),
        ("true-of-probabilities", "1,3", ["not chosen: None is negative.", "One of them is above"]),
        ("loop", "2,1,3,4", ["in position 1: compute", "in position 2: read"]),
        ("match", "1,3,3", ["left 2 → right 3"]),
        ("compare", "2", ["Two"]),
        ("bits", " 0,25 ", ["0,25"]),
        ("unit", "WORD", ["word"]),
        ("capital", "London", ["london"]),
    ],
)
def test_each_kind_of_question(question: str, text: str, expected: list[str]) -> None:
    found = mistakes(ALL[question], text)
    assert len(found) == len(expected)
    assert all(each.startswith(begin) for each, begin in zip(found, expected, strict=True))


@settings(max_examples=40)
@given(st.sampled_from(list(ALL.values())), st.text() | st.text("0123456789,-"))
def test_arbitrary_text(question: Question, text: str) -> None:
    for each in mistakes(question, text):
        assert each.isprintable()
        assert len(each) < 1500


@pytest.mark.parametrize("text", ["0", "5", "-1", "99999999999", "1,2", "", "²", "x" * 500])
def test_an_impossible_answer_has_no_mistakes(text: str) -> None:
    assert mistakes(ALL["cosine"], text) == ()
