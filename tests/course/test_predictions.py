"""Test predictions: how they are read from a lesson, and how guesses are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.course.lesson_text import FRONT, LAB, SCREEN, line_of, parse_lesson
from tutor.course.prediction import (
    ChoicePrediction,
    NumberPrediction,
    Revealed,
    TokenPrediction,
    WordsPrediction,
)
from tutor.course.reading.parse import read

PREDICT = """
```predict
id: likely
type: number
ask: How probable is `␣time`?
low: 0
high: 100
unit: "%"
live: {value: probability, prompt: Once upon a, token: ␣time}
reveal: It is a common beginning.
```
"""
CHOICE = PREDICT.replace("type: number", "type: choice\nchoices: [One, Two]\nright: 2")
for _line in ("low: 0\n", "high: 100\n", 'unit: "%"\n'):
    CHOICE = CHOICE.replace(_line, "")


def problem(text: str) -> tuple[str, int]:
    (found,) = read(FRONT + SCREEN + text, "x.md").problems
    assert found.next_step
    return found.problem, found.line


def test_a_prediction_belongs_to_its_screen() -> None:
    text = FRONT + SCREEN + PREDICT + LAB
    outcome = read(text, "x.md")
    assert outcome.lesson is not None
    (screen,) = outcome.lesson.screens
    assert isinstance(screen.prediction, NumberPrediction)
    assert screen.prediction.id == "likely"
    assert screen.lab is not None
    assert "Once upon" not in screen.body
    assert outcome.lines["likely"] == line_of(text, "```predict")


def test_a_screen_can_be_only_a_prediction() -> None:
    lesson = parse_lesson(FRONT + SCREEN.replace("Some *text*.\n", "") + PREDICT, "x.md", ())
    assert lesson.screens[0].body == ""
    assert lesson.predictions == (lesson.screens[0].prediction,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PREDICT + PREDICT.replace("likely", "second"), "second prediction"),
        (PREDICT.replace("high: 100", "high: 0"), "`low` must be less than `high`"),
        (PREDICT.replace("unit:", "answer: 3\nunit:"), "but not both"),
        (PREDICT.replace("live:", "scale: log\nlive:"), "needs a `low` above 0"),
        (PREDICT.replace("type: number", "type: dream"), "Unknown type 'dream'"),
        (PREDICT.replace(", token: ␣time", ""), "needs a `token`"),
        (PREDICT.replace("beginning.", "beginning&#x202e;."), "U+202E"),
        (CHOICE.replace("right: 2", "right: 3"), "not one of 2 choices"),
        (CHOICE.replace("[One, Two]", "[One, One]"), "appears twice"),
        (PREDICT.replace("id: likely", "id: first"), "is already used"),
    ],
)
def test_mistakes_are_reported_where_they_are(text: str, said: str) -> None:
    found, line = problem(text)
    assert said in found
    assert line > line_of(FRONT + SCREEN + text, "Some *text*")


def test_a_blank_needs_a_value() -> None:
    with pytest.raises(ValueError, match="there is no `live` value"):
        NumberPrediction(id="x", ask="?", low=0, high=1, answer=1, reveal="It is {}.")


PERCENT = NumberPrediction(id="x", ask="?", low=0, high=100, answer=77, unit="%", reveal=".")


@pytest.mark.parametrize(
    ("guess", "off"), [("77", 0.0), ("77 %", 0.0), ("27", -0.5), ("100%", 0.23), ("76,5", -0.005)]
)
def test_a_number_is_compared_as_a_fraction_of_the_range(guess: str, off: float) -> None:
    assert not PERCENT.problem(guess)
    assert PERCENT.compare(guess, Revealed("77 %", 77)).off == pytest.approx(off)


@pytest.mark.parametrize("guess", ["", "101", "-1"])
def test_a_number_outside_the_range_can_be_typed_again(guess: str) -> None:
    assert PERCENT.problem(guess) == "Type a number from 0 % to 100 %."


@pytest.mark.parametrize("guess", ["many", "1/0", "--", "1/(√2·√2)"])
def test_what_is_not_a_number_can_be_typed_again(guess: str) -> None:
    said = f"“{guess}” cannot be read as a number. Enter a number such as 0.25, 25 %, 1/4 or 2e-3."
    assert PERCENT.problem(guess) == said


def test_orders_of_magnitude_are_compared_by_their_logarithms() -> None:
    sizes = NumberPrediction(
        id="x", ask="?", low=1e3, high=1e13, answer=1e8, scale="log", reveal="."
    )
    assert sizes.compare("1e9", Revealed("", 1e8)).off == pytest.approx(0.1)
    assert sizes.compare("1e7", Revealed("", 1e8)).off == pytest.approx(-0.1)


@given(
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_distance_is_at_most_the_range(
    low: float, width: float, guess: float, answer: float
) -> None:
    asked = NumberPrediction(
        id="x", ask="?", low=low, high=low + width, answer=low + answer * width, reveal="."
    )
    typed = repr(low + guess * width)
    revealed = asked.written_answer
    assert revealed is not None
    off = asked.compare(typed, revealed).off
    assert off is None or -1 <= off <= 1


@given(st.text(max_size=20))
def test_any_text_can_be_typed(text: str) -> None:
    choice = ChoicePrediction(id="x", ask="?", choices=("One", "Two"), right=2, reveal=".")
    token = TokenPrediction(id="x", ask="?", prompt="a", reveal=".")
    words = WordsPrediction(id="x", ask="?", accept=("soft-max",), reveal=".")
    for prediction in (PERCENT, choice, token, words):
        assert isinstance(prediction.problem(text), str)
        assert isinstance(prediction.shown(text), str)
        prediction.compare(text, Revealed("", 1))


def test_a_choice_is_compared_by_its_number() -> None:
    choice = ChoicePrediction(id="x", ask="?", choices=("One", "Two"), right=2, reveal=".")
    answer = choice.written_answer
    assert answer == Revealed("Two", 2)
    assert [choice.compare(guess, answer).right for guess in ("1", "2")] == [False, True]
    assert choice.shown("1") == "One"
    assert choice.problem("3") == "Choose one of the answers."


def test_words_are_compared_by_their_spelling() -> None:
    words = WordsPrediction(id="x", ask="?", accept=("softmax", "soft max"), reveal=".")
    answer = words.written_answer
    assert answer == Revealed("softmax")
    assert words.compare("Soft-Max", answer).right is True
    assert words.compare("argmax", answer).right is False
    own = WordsPrediction(id="x", ask="?", reveal=".")
    assert own.compare("anything", Revealed("")).right is None
