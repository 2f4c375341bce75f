"""Test that a typed guess is looked up in the same way wherever the model judges it."""

from __future__ import annotations

from tests.engine.fake_engine import FakeEngine
from tutor.app.quiz.guesses import guessed
from tutor.app.quiz.live_answers import ask_model
from tutor.app.reader.reveal import revealed
from tutor.course.prediction import TokenPrediction
from tutor.course.questions.next_token import NextTokenQuestion

PROMPT = "The capital of France is"


async def test_a_question_and_a_prediction_give_a_guess_the_same_rank() -> None:
    engine = FakeEngine()
    await engine.start()
    question = NextTokenQuestion(id="q", ask="?", hint="!", why=".", prompt=PROMPT)
    prediction = TokenPrediction(id="p", ask="?", reveal=".", prompt=PROMPT)
    for guess in ("Paris", "Berlin", "the"):
        answer = (await ask_model(engine, question, guess, 80)).answer
        assert answer == (await revealed(engine, prediction, guess)).number


async def test_the_more_probable_reading_counts() -> None:
    engine = FakeEngine()
    await engine.start()
    session = await engine.open_text(PROMPT)
    assert (await guessed(engine, session, "Paris")).row.token.data == b" Paris"
