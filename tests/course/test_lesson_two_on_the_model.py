"""What the second lesson says about its model, asked of that model.

What a learner does is done with the model as this machine runs it. The
numbers in the text are those of exact arithmetic, which takes a while to load: these tests are slow
ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tutor.course.catalogue import load_course
from tutor.course.goals import Evidence, goals_reached
from tutor.course.lesson import Lab, Lesson
from tutor.course.question import NextTokenQuestion
from tutor.lm import draw
from tutor.lm.distribution import PLAIN, Distribution, Row
from tutor.lm.token_tree import TokenTree

if TYPE_CHECKING:
    from tutor.lm.load import LanguageModel
    from tutor.lm.session import Session


@pytest.fixture
def model(language_model: LanguageModel) -> LanguageModel:
    return language_model


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    found = load_course().lesson("one-question")
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


# --- the labs -----------------------------------------------------------------------------------


def test_one_row_reaches_certainty(model: LanguageModel, lesson: Lesson) -> None:
    find = lab(lesson, "find-certainty")
    opened = session(model, find.prompt)
    before = ask(opened)
    assert not goals_reached(find, Evidence(top_probability=before.rows[0].probability))
    opened.append([before.rows[0].token.id])
    after = ask(opened)
    assert len(goals_reached(find, Evidence(top_probability=after.rows[0].probability))) == 1


def test_the_wrong_turn_can_be_taken(model: LanguageModel, lesson: Lesson) -> None:
    """Done as the task says: find Berlin, step on, go back, take the first row, step on."""
    wrong_turn = lab(lesson, "wrong-turn")
    prompt = model.tokenizer.encode(wrong_turn.prompt)
    opened = session(model, wrong_turn.prompt)
    berlin = opened.find(len(opened), PLAIN, "Berlin", limit=5)[0]
    assert berlin.token.text == " Berlin"
    assert not goals_reached(wrong_turn, Evidence(top_probability=0.77, branch_lengths=(0,)))

    tree = TokenTree([model.tokenizer.token(id_) for id_ in prompt], seed=1)
    done: frozenset[int] = frozenset()
    first = ask(opened).rows[0]
    for start in (berlin, first):
        tree.move(len(prompt) - tree.focus)
        taken: Row = start
        for _ in range(4):
            tree.choose(taken.token, "taken", taken.surprisal_bits)
            evidence = Evidence(taken_rank=taken.rank, branch_lengths=tree.branch_lengths())
            done = goals_reached(wrong_turn, evidence, done)
            taken = ask(session_of(model, tree)).rows[0]
    assert done == {0, 1}


def session_of(model: LanguageModel, tree: TokenTree) -> Session:
    from tutor.lm.session import Session

    return Session(model, [token.id for token in tree.tokens])


def test_the_second_sentence_is_cheaper_than_the_first(
    model: LanguageModel, lesson: Lesson
) -> None:
    game = lab(lesson, "guess-the-seasons")
    assert "4.1 bits a token, the second 1.1" in game.done  # 4.10 and 1.12 in exact arithmetic
    opened = session(model, game.prompt)
    bits = opened.surprisals()[1:]
    end = [token.text for token in opened.tokens].index(".")
    first, second = [each or 0 for each in bits[:end]], [each or 0 for each in bits[end:]]
    assert sum(first) / len(first) == pytest.approx(4.1, abs=0.15)
    assert sum(second) / len(second) == pytest.approx(1.1, abs=0.15)


# --- the questions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "answers"),
    [("cup-next", [" coffee", " tea"]), ("germany-next", [" Berlin"])],
)
def test_next_token_questions_have_the_answers_that_their_hints_point_to(
    model: LanguageModel, lesson: Lesson, question: str, answers: list[str]
) -> None:
    asked = lesson.question(question)
    assert isinstance(asked, NextTokenQuestion)
    top = ask(session(model, asked.prompt), top=asked.within).rows
    assert [each.token.text for each in top] == answers


# --- the race -----------------------------------------------------------------------------------

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
    screen = lesson.screen("choosing")
    assert screen is not None
    for token, of_token, arrives in LUCK[seed]:
        found = row(model, RACE, token)
        assert luck[found.token.id] == pytest.approx(of_token, abs=0.005)
        assert luck[found.token.id] / found.probability == pytest.approx(arrives, rel=0.1)
        (line,) = [
            line for line in screen.body.splitlines() if line.startswith("␣" + token[1:] + " ")
        ]
        assert {f"{of_token:.2f}", f"{arrives:g}"} <= set(line.split())


# --- the numbers in the text --------------------------------------------------------------------

QUOTED = [
    # text, next token, rank, share in per cent, tolerance
    ("The capital of France is", " Paris", 1, 77.3, 0.06),
    ("The capital of France is", " the", 2, 6.5, 0.06),
    ("The capital of France is", " London", 3, 1.2, 0.06),
    ("The capital of France is", " Berlin", 28, 0.1, 0.01),
    ("The capital of France is Paris", ".", 1, 68, 0.6),
    ("The capital of France is Berlin", ".", 1, 68, 0.6),
    ("Once upon a", " time", 1, 14.3, 0.06),
    ("Once upon a", " Sunday", 2, 8.1, 0.06),
    ("To be, or not to", " be", 1, 86, 0.6),
    ("The chemical symbol for gold is", " Au", 1, 96, 0.6),
    ("The plural of mouse is", " mice", 1, 75, 0.6),
    ("import numpy as", " np", 1, 63, 0.6),
    ("<b>Hello</", "b", 1, 92, 0.6),
    ("Review: a waste of time.\nSentiment:", " negative", 1, 32, 0.6),
]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "token", "rank", "share", "tolerance"), QUOTED)
def test_shares(
    exact_model: LanguageModel, text: str, token: str, rank: int, share: float, tolerance: float
) -> None:
    found = row(exact_model, text, token)
    assert 100 * found.probability == pytest.approx(share, abs=tolerance)
    assert found.rank == rank


@pytest.mark.slow
def test_a_fruit_is_no_city(exact_model: LanguageModel) -> None:
    found = row(exact_model, "The capital of France is", " banana")
    assert found.rank == 12_636
    assert found.surprisal_bits == pytest.approx(24.9, abs=0.06)
    assert found.logit == pytest.approx(0.39, abs=0.006)


@pytest.mark.slow
def test_scores(exact_model: LanguageModel) -> None:
    paris = row(exact_model, "The capital of France is", " Paris")
    the = row(exact_model, "The capital of France is", " the")
    assert paris.logit == pytest.approx(17.37, abs=0.006)
    assert the.logit == pytest.approx(14.89, abs=0.006)
    assert paris.probability / the.probability == pytest.approx(12, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "bits"),
    [("The capital of France is", 2.14), ("Once upon a", 7.72), ("Once upon a time", 0.81)],
)
def test_entropies(exact_model: LanguageModel, text: str, bits: float) -> None:
    found = ask(session(exact_model, text))
    assert found.entropy_bits == pytest.approx(bits, abs=0.006)
    assert found.vocabulary_size == 49_152


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("The capital of France is Berlin,", " and the capital of Germany is Berlin."),
        ("To be, or not to", " be, a person who is a good friend to me."),
    ],
)
def test_what_follows_when_the_first_row_is_always_taken(
    exact_model: LanguageModel, start: str, end: str
) -> None:
    opened = session(exact_model, start)
    for expected in exact_model.tokenizer.encode(end):
        assert ask(opened, top=1).rows[0].token.id == expected
        opened.append([expected])
