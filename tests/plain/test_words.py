"""Test how plain mode words numbers, tokens and messages."""

from __future__ import annotations

import re

import pytest

from tutor.errors import TextError
from tutor.labs.kit import registry
from tutor.lm.distribution import Row, Token
from tutor.plain import words


def test_a_rank_is_a_sentence() -> None:
    row = Row(1, Token(1, " Paris", b" Paris"), 0.773, 9.0, 0.0, "top-k")
    assert words.rank(row) == 'Rank 1: " Paris", 77.3 percent.'
    assert words.rank(row, sampled=True) == 'Rank 1: " Paris", 77.3 percent, cut by top-k.'


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.0, "0 percent"),
        (1.0, "100 percent"),
        (0.9999, "more than 99.9 percent"),
        (1e-9, "less than 0.001 percent"),
        (0.0003, "0.030 percent"),
        (float("nan"), "unknown"),
    ],
)
def test_a_probability_is_never_rounded_to_none_or_all(probability: float, said: str) -> None:
    assert words.percent(probability) == said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\n", "a line break"),
        (b"\n\n", "2 line breaks"),
        (b"\t", "a tab"),
        (b".\n", '".(line break)"'),
        (b'.",', '“.",”'),
        (b" ", "a space"),
        (b"  ", "2 spaces"),
        (b"\x1b[2J", '"␛[2J"'),
        (b"\xe2\x96", '"\\xe2\\x96"'),
    ],
)
def test_a_token_without_letters_is_named(data: bytes, said: str) -> None:
    assert words.quoted(data) == said


def test_signs_for_the_eye_become_words() -> None:
    assert words.spoken("a ──► b  66.5 % ████▎ ␣the") == 'a to b 66.5 percent " the"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / (√2·√1)", "1 / (the square root of 2 times the square root of 1)"),
        ("3 · 10²¹", "3 times 10 to the power of 21"),
        ("w²", "w squared"),
        ("q·k and 2 · cosine", "q times k and 2 times cosine"),
        ("Continue · screen 1", "Continue, screen 1"),
        ("log₂ and k₁", "log 2 and k 1"),
        ("↑ ↓", "up down"),
    ],
)
def test_formulas_are_read_in_words(text: str, said: str) -> None:
    assert words.spoken(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Stopped after 200 tokens. Press r to continue.", "Stopped after 200 tokens."),
        ("Write a text (e). Then press Tab.", "Write a text."),
        ("Bot C writes; r stops it. Read on.", "Bot C writes. Read on."),
    ],
)
def test_messages_name_no_keys(text: str, said: str) -> None:
    assert words.without_keys(text) == said


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ("Add a false passage (p) that is cited", "Add a false passage that is cited."),
        ("Find a token (try x) that is lost", "Find a token that is lost."),
        ("Go to a token (p/n)", "Go to a token."),
        ("Use your own lists (1, 2)", "Use your own lists."),
        ("Save it (ctrl+s)", "Save it."),
        ("Make it answer (Enter)", "Make it answer."),
        ("Measure it (Tab, then r)", "Measure it."),
        ("Find a fact (in 2024)", "Find a fact (in 2024)."),
    ],
)
def test_goals_name_no_keys(says: str, said: str) -> None:
    assert words.goal(says) == said


def test_no_goal_of_a_lab_names_a_key() -> None:
    """Only signs and conditions are in brackets, as in "(*)" and "(4th or later)"."""
    said = [words.goal(goal.says) for lab in registry.every() for goal in lab.goals]
    assert {found for each in said for found in re.findall(r"\(.+?\)", each)} == {
        *("(*)", "(–)", "(4th or later)", "(mask on, real targets)")
    }


def test_tasks_name_commands_instead_of_keys() -> None:
    task = "See (1 takes the first row). Press `e` and write; then undo with u. Press ← twice."
    said = words.with_commands(task, {"e": "edit", "u": "undo"})
    assert words.without_keys(said) == "See. Type edit and write; then type undo."


def test_an_error_says_what_happened_and_what_to_do() -> None:
    error = TextError("The text is empty.", "Write at least one character.")
    assert words.error(error) == "The text is empty. Write at least one character."
