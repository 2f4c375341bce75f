"""Test what the course map and the end of a lesson name as the next thing to do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.sample_course import LESSON
from tutor.course.lesson import Screen
from tutor.course.outline import Outline, outline_of
from tutor.course.questions.text import TextQuestion
from tutor.learner.records import Card, Draft, LessonState, Predicted
from tutor.study.lesson_progress import lesson_progress
from tutor.study.next_step import (
    AnswerQuestions,
    NextStep,
    ReadLesson,
    Review,
    left_for_later,
    next_in_lessons,
    next_step,
)

SCREENS = ("s1", "s2", "s3")


def lesson(name: str, number: int, questions: int = 2) -> Outline:
    return outline_of(
        replace(
            LESSON,
            id=name,
            number=number,
            screens=tuple(Screen(id=each, title=each, body="") for each in SCREENS),
            questions=tuple(
                TextQuestion(id=f"{name}-{at}", ask="?", hint="!", why=".", accept=("yes",))
                for at in range(questions)
            ),
        )
    )


COURSE = (lesson("a", 1), lesson("b", 2), lesson("c", 3, questions=0))


def card(name: str, *, right: bool) -> Card:
    return Card(
        question=name,
        version=1,
        lesson=name[0],
        answers=1,
        correct=int(right),
        last_correct=right,
        last_at=1.0,
    )


def at(name: str, screen: str, seen: int, visited: float = 1.0, **more: object) -> LessonState:
    """Return the state of a learner who is at `screen` and has seen the first `seen` screens."""
    state = LessonState(lesson=name, screen=screen, seen=SCREENS[:seen], visited_at=visited)
    return replace(state, **more)


READ = at("a", "s3", 3)
LABS_ONLY = LessonState(lesson="b", labs_done=("x",), goals_reached={"x": ("g",)}, visited_at=9.0)
IN_QUIZ = at("a", "s1", 1, question="a-1", quiz_order=("a-0", "a-1"))
GUESS = Predicted(at=2.0, prediction="x", lesson="b", guess="1", answer="2", off=None, right=False)
DRAFT = Draft(version=1, answer="y")


@pytest.mark.parametrize(
    ("states", "answers", "due", "wanted"),
    [
        pytest.param([], {}, 0, ReadLesson("a", "s1", begun=False), id="newcomer"),
        pytest.param([LABS_ONLY], {}, 0, ReadLesson("a", "s1", begun=False), id="only labs"),
        pytest.param([at("a", "s2", 2)], {}, 0, ReadLesson("a", "s2", begun=True), id="reading"),
        pytest.param([at("a", "s2", 2)], {}, 5, ReadLesson("a", "s2", begun=True), id="and due"),
        pytest.param([READ], {}, 0, AnswerQuestions("a", 2, 0), id="all read"),
        pytest.param([IN_QUIZ], {}, 0, AnswerQuestions("a", 2, 0, running=True), id="in a quiz"),
        pytest.param(
            [replace(IN_QUIZ, question="a-0")],
            {},
            0,
            ReadLesson("a", "s1", begun=True),
            id="a quiz opened by mistake",
        ),
        pytest.param(
            [replace(IN_QUIZ, question="a-0", draft=DRAFT)],
            {},
            0,
            ReadLesson("a", "s1", begun=True),
            id="an answer that was not submitted, before the text was read",
        ),
        pytest.param(
            [replace(READ, question="a-0", quiz_order=("a-0",), quiz_ended=True, draft=DRAFT)],
            {},
            0,
            AnswerQuestions("a", 2, 0, running=True),
            id="an answer that was not submitted, after the text was read",
        ),
        pytest.param(
            [IN_QUIZ],
            {"a-0": True, "a-1": True},
            0,
            AnswerQuestions("a", 0, 0, running=True),
            id="at an answer that may not have been read yet",
        ),
        pytest.param(
            [READ], {"a-0": True}, 0, ReadLesson("b", "s1", begun=False), id="left for later"
        ),
        pytest.param([READ], {"a-0": True}, 3, Review(3), id="left for later, and due"),
        pytest.param(
            [replace(READ, quiz_ended=True)],
            {},
            0,
            ReadLesson("b", "s1", begun=False),
            id="every question left for later",
        ),
        pytest.param(
            [READ, at("b", "s3", 3), at("c", "s3", 3)],
            {"a-0": True, "b-0": False, "b-1": True},
            3,
            AnswerQuestions("a", 1, 0),
            id="left for later, after all other lessons",
        ),
        pytest.param(
            [READ],
            {"a-0": True, "a-1": False},
            0,
            ReadLesson("b", "s1", begun=False),
            id="wrong answers come back in reviews",
        ),
        pytest.param([READ], {"a-0": True, "a-1": True}, 4, Review(4), id="done, and due"),
        pytest.param(
            [READ], {"a-0": True, "a-1": True}, 0, ReadLesson("b", "s1", begun=False), id="done"
        ),
        pytest.param(
            [READ, at("c", "s3", 3, 2.0)],
            {"a-0": True, "a-1": True},
            0,
            ReadLesson("b", "s1", begun=False),
            id="a lesson before the last one",
        ),
        pytest.param(
            [at("a", "s3", 1), at("b", "s1", 0, 0.0)],
            {},
            0,
            ReadLesson("a", "s3", begun=True),
            id="a screen that a link led to",
        ),
        pytest.param(
            [at("a", "s2", 2), at("b", "s1", 1, 2.0)],
            {},
            0,
            ReadLesson("a", "s2", begun=True),
            id="a lesson that was only opened",
        ),
        pytest.param(
            [at("a", "s2", 2), at("b", "s1", 1, 2.0), at("c", "s1", 1, 3.0)],
            {},
            0,
            ReadLesson("a", "s2", begun=True),
            id="two lessons that were only opened",
        ),
        pytest.param(
            [at("a", "s2", 2), at("b", "s2", 2, 2.0)],
            {},
            0,
            ReadLesson("b", "s2", begun=True),
            id="a lesson of which two screens were read",
        ),
        pytest.param(
            [at("a", "s2", 2), at("b", "s1", 1, 2.0, predictions={"x": GUESS})],
            {},
            0,
            ReadLesson("b", "s1", begun=True),
            id="a lesson with a prediction",
        ),
        pytest.param(
            [READ, at("c", "s1", 1, 2.0)],
            {"a-0": True, "a-1": False},
            0,
            ReadLesson("c", "s1", begun=True),
            id="a lesson that was opened after a quiz",
        ),
        pytest.param(
            [LessonState(lesson="a", screen="s3", seen=("s3",), visited_at=1.0)],
            {},
            0,
            ReadLesson("a", "s1", begun=True),
            id="the last screen was read, the first were not",
        ),
        pytest.param(
            [READ, at("b", "s3", 3), at("c", "s3", 3)],
            {"a-0": True, "a-1": False, "b-0": True, "b-1": True},
            0,
            AnswerQuestions("a", 0, 1),
            id="only a wrong answer is left",
        ),
        pytest.param(
            [READ, at("b", "s3", 3), at("c", "s3", 3)],
            {"a-0": True, "a-1": False, "b-0": True, "b-1": True},
            1,
            Review(1),
            id="which is due",
        ),
        pytest.param(
            [READ, at("b", "s3", 3), at("c", "s3", 3)],
            dict.fromkeys(("a-0", "a-1", "b-0", "b-1"), True),
            0,
            None,
            id="the whole course",
        ),
    ],
)
def test_what_comes_next(
    states: list[LessonState], answers: Mapping[str, bool], due: int, wanted: NextStep | None
) -> None:
    cards = {name: card(name, right=right) for name, right in answers.items()}
    assert next_step(COURSE, {each.lesson: each for each in states}, cards, due) == wanted


def test_the_end_of_a_lesson_leads_on_although_questions_are_left_for_later() -> None:
    after = next_in_lessons(COURSE, {"a": READ}, {}, after="a")
    assert after == ReadLesson("b", "s1", begun=False)


def test_questions_left_for_later_are_counted_while_another_lesson_comes_next() -> None:
    cards = {"a-0": card("a-0", right=False)}
    states = {"a": READ}
    step = next_in_lessons(COURSE, states, cards)
    assert step == ReadLesson("b", "s1", begun=False)
    assert step == next_in_lessons(COURSE, states, cards, after="a")
    assert left_for_later(COURSE, states, cards, step) == {"a": 2}
    assert left_for_later(COURSE, {**states, "a": IN_QUIZ}, cards, step) == {}
    opened = replace(READ, question="a-0", quiz_order=("a-0", "a-1"))
    assert next_in_lessons(COURSE, {"a": opened}, cards) == step


def test_after_the_last_lesson_its_open_questions_are_left() -> None:
    states = {"a": READ, "b": at("b", "s3", 3), "c": at("c", "s3", 3)}
    cards = {name: card(name, right=True) for name in ("a-0", "a-1", "b-0")}
    assert next_in_lessons(COURSE, states, cards, after="b") == AnswerQuestions("b", 1, 0)


def test_a_course_without_lessons_has_no_next_step() -> None:
    assert next_step((), {"a": READ}, {}) is None


@st.composite
def learners(draw: st.DrawFn) -> tuple[dict[str, LessonState], dict[str, Card]]:
    """Draw any progress, including progress in parts that the course no longer has."""
    states, cards = {}, {}
    for name in draw(st.lists(st.sampled_from(("a", "b", "c", "removed")), unique=True)):
        screens = st.sampled_from((*SCREENS, "removed", ""))
        order = draw(st.permutations([f"{name}-{number}" for number in range(3)]))
        states[name] = LessonState(
            lesson=name,
            screen=draw(screens),
            seen=tuple(draw(st.lists(screens, unique=True))),
            question=draw(st.sampled_from((*order, ""))),
            quiz_order=tuple(order),
            quiz_ended=draw(st.booleans()),
            visited_at=draw(st.floats(0, 10)),
        )
    for name in draw(st.sets(st.sampled_from(("a-0", "a-1", "a-2", "b-0", "b-1", "c-0")))):
        cards[name] = replace(
            card(name, right=draw(st.booleans())), version=draw(st.integers(0, 2))
        )
    return states, cards


@given(learners(), st.integers(0, 3), st.sampled_from(("", "a", "b", "c", "removed")))
def test_the_next_step_exists_and_is_not_done(
    learner: tuple[dict[str, LessonState], dict[str, Card]], due: int, after: str
) -> None:
    states, cards = learner
    progress = {
        each.id: lesson_progress(each, states.get(each.id, LessonState(lesson=each.id)), cards)
        for each in COURSE
    }
    for step in (
        next_step(COURSE, states, cards, due),
        next_in_lessons(COURSE, states, cards, after),
    ):
        match step:
            case None:
                assert all(each.done for each in progress.values())
            case Review(due=count):
                assert count == due > 0
            case ReadLesson(lesson=name, screen=screen):
                assert progress[name].seen < progress[name].screens
                assert screen in SCREENS
            case AnswerQuestions(lesson=name):
                assert not progress[name].done
                assert step.open_ + step.wrong > 0 or step.running
                assert step.open_ == progress[name].questions - progress[name].answered
