"""How events change what is known of a learner."""

from __future__ import annotations

from learner_sessions import answered

from tutor.learner.records import Card, GoalReached, LessonRead, LessonState
from tutor.learner.state import State, fold, from_tables, place


def test_a_new_version_of_a_question_is_another_question() -> None:
    events = [answered(n, question="q", version=v) for n, v in enumerate([1, 1, 2])]
    card = fold(State(), events).cards["q"]
    assert (card.version, card.answers, card.correct) == (2, 1, 1)


def test_an_answer_to_an_older_version_says_nothing_about_the_newer() -> None:
    newer = fold(State(), [answered(1, question="q", version=2)])
    assert fold(newer, [answered(2, question="q", version=1)]).cards == newer.cards


def test_a_goal_is_reached_once() -> None:
    goal = GoalReached(at=1.0, lab="stepper", lesson="l")
    assert fold(State(), [goal, goal]).lessons["l"].goals == ("stepper",)


def test_reading_a_lesson_keeps_the_place_in_it() -> None:
    state = place(State(), LessonState(lesson="l", screen="end", visited_at=9.0))
    lesson = fold(state, [LessonRead(at=3.0, lesson="l")]).lessons["l"]
    assert (lesson.screen, lesson.read, lesson.visited_at) == ("end", True, 9.0)


def test_fold_leaves_its_input_alone() -> None:
    before = fold(State(), [answered(1)])
    fold(before, [answered(2), GoalReached(at=1.0, lab="x", lesson="l")])
    assert set(before.cards) == {"question-1"}
    assert before.lessons == {}


def test_documents_that_make_no_sense_are_left_out_and_counted() -> None:
    card = {
        "question": "good",
        "version": 1,
        "lesson": "l",
        "answers": 1,
        "correct": 1,
        "last_correct": True,
        "last_at": 1.0,
        "of a later program": 5,
    }
    state, left_out = from_tables(
        {"cards": {"good": card, "bad": {"answers": "many"}}, "settings": {"x": {}}}
    )
    assert left_out == 2
    assert state.cards == {
        "good": Card(
            question="good",
            version=1,
            lesson="l",
            answers=1,
            correct=1,
            last_correct=True,
            last_at=1.0,
        )
    }
