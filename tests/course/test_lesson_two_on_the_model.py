"""Test claims of the second lesson about its model that lint does not check.

These are the final texts of labs, the hints, and the race for the next token. The model runs as on
this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.shipped_course import shipped_course
from tutor.app.explorer.guess.game import LEAST_SHOWN
from tutor.course.lesson import Lab, Lesson
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.lm import draw
from tutor.lm.distribution import PLAIN, Distribution, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.lm.language_model import LanguageModel
    from tutor.lm.session import Session


@pytest.fixture
def model(language_model: LanguageModel) -> LanguageModel:
    return language_model


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    found = shipped_course().lesson("one-question")
    assert found is not None
    return found


def session(model: LanguageModel, text: str) -> Session:
    from tutor.lm.session import Session

    return Session(model, model.tokenizer.encode(text))


def ask(opened: Session, top: int = 60) -> Distribution:
    return opened.distribution(len(opened), PLAIN, seed=1, top=top)


def row(model: LanguageModel, text: str, token: str) -> Row:
    opened = session(model, text)
    (id_,) = model.tokenizer.encode(token)
    return opened.rows(len(opened), PLAIN, [id_])[0]


def lab(lesson: Lesson, lab_id: str) -> Lab:
    return next(each for each in lesson.labs if each.id == lab_id)


def test_the_second_sentence_has_less_surprisal_than_the_first(
    model: LanguageModel, lesson: Lesson
) -> None:
    game = lab(lesson, "guess-the-seasons")
    opened = session(model, game.prompt)
    bits = opened.surprisals()
    end = [token.text for token in opened.tokens].index(".") + 1
    assert "the nine tokens that you guessed" in game.done
    assert end - LEAST_SHOWN == 9
    assert "2.5 bits, and the twelve of the second sentence 1.1" in game.done
    assert len(bits) - end == 12
    assert mean(bits[LEAST_SHOWN:end]) == pytest.approx(2.5, abs=0.15)
    assert mean(bits[end:]) == pytest.approx(1.1, abs=0.15)
    assert "its last nine tokens have 2.6" in game.done
    alone = session(model, game.prompt.partition(". ")[2].strip()).surprisals()
    assert mean(alone[-9:]) == pytest.approx(2.6, abs=0.15)


def mean(bits: Sequence[float | None]) -> float:
    return sum(each or 0 for each in bits) / len(bits)


@pytest.mark.parametrize(
    ("question", "answers"),
    [("cup-next", [" coffee", " tea"]), ("germany-next", [" Paris"])],
)
def test_next_token_questions_have_the_answers_in_their_hints(
    model: LanguageModel, lesson: Lesson, question: str, answers: list[str]
) -> None:
    asked = lesson.question(question)
    assert isinstance(asked, NextTokenQuestion)
    top = ask(session(model, asked.prompt), top=asked.within).rows
    assert [each.token.text for each in top] == answers


RACE = "The capital of France is"
LUCK = {
    # seed: token, luck, arrival
    3: [(" Paris", 0.29, 0.4), (" the", 0.92, 14), (" London", 0.28, 23)],
    2: [(" Paris", 4.55, 5.9), (" the", 0.11, 1.7), (" London", 1.08, 90)],
}


@pytest.mark.parametrize(("seed", "first"), [(3, " Paris"), (2, " the")])
def test_the_race_is_won_as_the_lesson_says(
    model: LanguageModel, lesson: Lesson, seed: int, first: str
) -> None:
    opened = session(model, RACE)
    assert opened.distribution(len(opened), PLAIN, seed, top=0).drawn.token.text == first
    luck = draw.luck(seed, len(opened), 49_152)
    screen = lesson.screen("race")
    assert screen is not None
    for token, of_token, arrives in LUCK[seed]:
        found = row(model, RACE, token)
        assert luck[found.token.id] == pytest.approx(of_token, abs=0.005)
        assert luck[found.token.id] / found.probability == pytest.approx(arrives, rel=0.1)
        (line,) = [
            line for line in screen.body.splitlines() if line.startswith("␣" + token[1:] + " ")
        ]
        assert {f"{of_token:.2f}", f"{arrives:g}"} <= set(line.split())


@pytest.mark.parametrize("token", [" Paris", " the", " London"])
def test_the_picture_of_the_stepper_has_the_ids_of_the_tokens(
    model: LanguageModel, lesson: Lesson, token: str
) -> None:
    screen = lesson.screen("read-stepper")
    assert screen is not None
    found = row(model, RACE, token)
    (line,) = [line for line in screen.body.splitlines() if f" ␣{token[1:]} " in line]
    assert line.split()[:3] == [str(found.rank), f"␣{token[1:]}", str(found.token.id)]
