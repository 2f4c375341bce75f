"""Test grading, the order of choices, and goals: pure functions, so mostly properties."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.course.goals import Evidence, description, goals_reached, reached
from tutor.course.lesson import (
    Branched,
    Goal,
    Lab,
    TookRankAtLeast,
    TopTokenAbove,
    TopTokenBelow,
)
from tutor.course.questions.answers import Answer
from tutor.course.questions.choices import Choice
from tutor.course.questions.compare import Compared, ComparePrompts
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion, readings
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.question import Question
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.course.questions.spelling import plain
from tutor.course.questions.text import TextQuestion

COMMON: dict[str, Any] = {"id": "q", "ask": "?", "hint": "h", "why": "w"}


def choices(*right: bool) -> tuple[Choice, ...]:
    return tuple(Choice(f"text {n}", f"why {n}", each) for n, each in enumerate(right))


SINGLE = SingleChoice(**COMMON, choices=choices(False, True, False))
SEVERAL = SeveralChoices(**COMMON, choices=choices(True, True, False, False))
ORDER = OrderQuestion(**COMMON, items=("a", "b", "c", "d"))
TEXT = TextQuestion(**COMMON, accept=("Softmax", "soft max function"))
NEXT = NextTokenQuestion(**COMMON, prompt="A cup of", within=2)


def number(answer: float, tolerance: float = 0, unit: str = "") -> NumberQuestion:
    return NumberQuestion(**COMMON, answer=answer, tolerance=tolerance, unit=unit)


def test_single() -> None:
    right, wrong = SINGLE.grade(1), SINGLE.grade(0)
    assert right.correct
    assert not wrong.correct
    assert [note.mark for note in wrong.notes] == ["wrong", "missed", "left"]
    assert [note.why for note in wrong.notes] == ["why 0", "why 1", "why 2"]


@given(st.sets(st.integers(0, 3)))
def test_several_needs_all_and_no_other(chosen: set[int]) -> None:
    verdict = SEVERAL.grade(chosen)
    assert verdict.correct == (chosen == {0, 1})
    marks = [note.mark for note in verdict.notes]
    assert [mark in ("right", "wrong") for mark in marks] == [place in chosen for place in range(4)]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({0}, "1 right answer is missing"),
        (set(), "2 right answers are missing"),
        ({0, 1, 2}, "1 of your choices is wrong"),
        ({2, 3}, "2 right answers are missing and 2 of your choices are wrong"),
    ],
)
def test_several_counts_the_mistakes(chosen: set[int], words: str) -> None:
    assert words in SEVERAL.grade(chosen).message


@pytest.mark.parametrize(
    ("typed", "unit", "answer"),
    [
        ("0.25", "", 0.25),
        ("0,25", "", 0.25),
        (".25", "", 0.25),
        ("1/4", "", 0.25),
        ("25 %", "", 0.25),
        ("25%", "%", 25),
        ("25", "%", 25),
        ("25,5 %", "%", 25.5),
        ("−3", "", -3),
        ("3 bits", "bits", 3),
        ("3 BITS", "bits", 3),
        ("49,152", "", 49152),
        ("49 152", "", 49152),
        ("49'152", "", 49152),
        ("1,000,000.5", "", 1000000.5),
        ("1e-3", "", 0.001),
        ("  7  ", "", 7),
    ],
)
def test_numbers_as_people_type_them(typed: str, unit: str, answer: float) -> None:
    assert number(answer, unit=unit).grade(typed).correct


@pytest.mark.parametrize("typed", ["abc", "", "  ", "nan", "inf", "1/0", "1.2.3", "٣", "--3", "%"])
def test_text_that_is_not_a_number_does_not_count(typed: str) -> None:
    verdict = number(3).grade(typed)
    assert not verdict.counted
    assert not verdict.correct
    assert "Enter a number" in verdict.message


def test_a_wrong_number_is_called_too_low_or_too_high() -> None:
    assert "too low" in number(3, 0.1).grade("2.8").message
    assert "too high" in number(3, 0.1).grade("3.2").message
    assert number(3, 0.1).grade("3.1").correct
    assert number(0.3).grade(str(0.1 + 0.2)).correct


@given(st.floats(-1e12, 1e12))
def test_every_number_is_understood_as_written(value: float) -> None:
    assert readings(repr(value))[0] == value


@given(st.text(max_size=30), st.text(max_size=5))
def test_any_text_may_be_typed_as_a_number(typed: str, unit: str) -> None:
    for value in readings(typed, unit):
        assert isinstance(value, float)
    assert number(0.5, unit=unit).grade(typed).message


@given(st.permutations(range(4)))
def test_order(order: list[int]) -> None:
    verdict = ORDER.grade(tuple(order))
    assert verdict.correct == (order == [0, 1, 2, 3])
    right = sum(item == place for place, item in enumerate(order))
    assert sum(note.mark == "right" for note in verdict.notes) == right
    if not verdict.correct:
        assert f"{right} of 4" in verdict.message


@pytest.mark.parametrize(
    "typed", ["softmax", " SOFT-MAX ", "Soft max", "sóftmax.", "softmaxfunction"]
)
def test_accepted_spellings(typed: str) -> None:
    assert TEXT.grade(typed).correct


@pytest.mark.parametrize("typed", ["softmin", "soft", "max"])
def test_other_spellings(typed: str) -> None:
    verdict = TEXT.grade(typed)
    assert verdict.counted
    assert not verdict.correct


def test_an_empty_text_does_not_count() -> None:
    assert not TEXT.grade(" . ").counted


@given(st.text(max_size=40))
def test_plain_spelling(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert plain(f" {text}. ") == plain(text)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz -'", max_size=40))
def test_case_spaces_and_hyphens_do_not_matter(text: str) -> None:
    assert plain(text.upper()) == plain(text) == plain(text.replace(" ", "-"))


@pytest.mark.parametrize(("rank", "correct"), [(1, True), (2, True), (3, False), (49152, False)])
def test_next_token_is_graded_by_rank(rank: int, correct: bool) -> None:
    verdict = NEXT.grade(rank)
    assert verdict.correct is correct
    if rank > 1:
        assert f"{rank:,}" in verdict.message


@pytest.mark.parametrize(
    ("question", "answer"),
    [(SINGLE, "1"), (SEVERAL, 1), (ORDER, "abcd"), (TEXT, 1), (NEXT, "coffee"), (number(1), 1)],
)
def test_an_answer_of_another_kind_is_a_bug(question: Question, answer: Answer) -> None:
    with pytest.raises(TypeError):
        question.grade(answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [(SINGLE, 3), (SINGLE, -1), (SEVERAL, {9}), (ORDER, (0, 1)), (NEXT, 0)],
)
def test_an_answer_out_of_range_is_a_bug(question: Question, answer: Answer) -> None:
    with pytest.raises(ValueError, match=r"indexes|order|rank"):
        question.grade(answer)


# --- order of choices ---------------------------------------------------------------------------


@given(st.integers(0, 2**32))
def test_all_choices_are_shown_in_a_fixed_order(seed: int) -> None:
    for question, count in ((SINGLE, 3), (SEVERAL, 4), (ORDER, 4)):
        order = question.display_order(seed)
        assert sorted(order) == list(range(count))
        assert order == question.display_order(seed)


@given(st.integers(0, 2**32))
def test_items_to_order_are_never_shown_in_the_right_order(seed: int) -> None:
    assert ORDER.display_order(seed) != (0, 1, 2, 3)


def test_every_order_of_choices_occurs() -> None:
    assert len({SINGLE.display_order(seed) for seed in range(100)}) == 6


def test_the_order_for_a_seed_is_the_same_in_every_version() -> None:
    """A quiz can be continued later, perhaps with another version of Python."""
    assert SEVERAL.display_order(7) == (3, 1, 0, 2)


def test_nothing_to_shuffle() -> None:
    assert TEXT.display_order(1) == NEXT.display_order(1) == number(1).display_order(1) == ()


# --- goals --------------------------------------------------------------------------------------

REACHED: list[tuple[Goal, Evidence, bool]] = [
    (TopTokenAbove(0.9), Evidence(top_probability=0.91), True),
    (TopTokenAbove(0.9), Evidence(top_probability=0.9), False),
    (TopTokenAbove(0.9), Evidence(), False),
    (TopTokenBelow(0.2), Evidence(top_probability=0.19), True),
    (TopTokenBelow(0.2), Evidence(top_probability=0.2), False),
    (TopTokenBelow(0.2), Evidence(), False),
    (TookRankAtLeast(10), Evidence(taken_rank=10), True),
    (TookRankAtLeast(10), Evidence(taken_rank=9), False),
    (TookRankAtLeast(10), Evidence(top_probability=0.5), False),
    (Branched(2, 4), Evidence(branch_lengths=(4, 9, 1)), True),
    (Branched(2, 4), Evidence(branch_lengths=(4, 3, 3)), False),
    (Branched(2, 4), Evidence(), False),
]


@pytest.mark.parametrize(("goal", "evidence", "is_reached"), REACHED)
def test_goals(goal: Goal, evidence: Evidence, is_reached: bool) -> None:
    assert reached(goal, evidence) is is_reached


def test_a_goal_once_reached_stays_reached() -> None:
    lab = Lab(
        id="l", kind="stepper", task="t", prompt="p", goals=(TopTokenAbove(0.9), TookRankAtLeast(5))
    )
    first = goals_reached(lab, Evidence(top_probability=0.95))
    assert first == {0}
    assert goals_reached(lab, Evidence(top_probability=0.1), first) == {0}
    assert goals_reached(lab, Evidence(taken_rank=7), first) == {0, 1}


def test_goals_are_described_in_words() -> None:
    lab = Lab(id="l", kind="stepper", task="t", prompt="p")
    words = [description(goal, lab) for goal, _, _ in REACHED]
    assert "90 %" in words[0]
    assert "20 %" in words[3]
    assert "rank 10" in words[6]
    assert words[9] == "Create 2 branches of at least 4 tokens"
    assert description(Branched(3), lab) == "Create 3 branches"
    chat = Lab(id="l", kind="chat", task="t", prompt="p")
    assert description(Branched(2, 8), chat) == "Get 2 answers of at least 8 tokens"


@pytest.mark.parametrize(
    ("values", "right"), [((0.2, 0.1), {0}), ((0.1, 0.2), {1}), ((0.1, 0.1), {0, 1})]
)
def test_the_prompt_with_the_larger_value_is_right(
    values: tuple[float, float], right: set[int]
) -> None:
    """Both prompts are right if the values are equal."""
    question = ComparePrompts(**COMMON, prompts=("x", "y"), value="entropy")
    assert {
        chosen for chosen in (0, 1) if question.grade(Compared(chosen, values)).correct
    } == right
