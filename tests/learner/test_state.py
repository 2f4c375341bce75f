"""Test how events change the state of a learner."""

from __future__ import annotations

import msgspec

from tests.learner.learner_sessions import answered, named
from tutor.learner.documents import from_tables
from tutor.learner.records import (
    Card,
    Draft,
    Forgotten,
    GoalReached,
    Guessed,
    LabDone,
    LessonRead,
    LessonState,
    Predicted,
    PredictionDraft,
    Suspended,
    Undo,
    Undone,
)
from tutor.learner.state import UNKNOWN_ANSWER, LearnerState, fold, in_order, place, with_draft


def test_a_new_version_of_a_question_is_a_new_question() -> None:
    events = [answered(n, question="q", version=v) for n, v in enumerate([1, 1, 2])]
    card = fold(LearnerState(), events).cards["q"]
    assert (card.version, card.answers, card.correct) == (2, 1, 1)


def test_an_answer_to_an_older_version_does_not_count() -> None:
    newer = fold(LearnerState(), [answered(1, question="q", version=2)])
    assert fold(newer, [answered(2, question="q", version=1)]).cards == newer.cards


def test_a_lab_is_done_once() -> None:
    done = LabDone(at=1.0, lab="stepper", lesson="l")
    assert fold(LearnerState(), [done, done]).lessons["l"].labs_done == ("stepper",)


def test_each_goal_of_a_lab_is_reached_once() -> None:
    goals = [GoalReached(at=1.0, lab="x", lesson="l", goal=goal) for goal in ("a", "b", "a")]
    other = GoalReached(at=1.0, lab="y", lesson="l", goal="a")
    lesson = fold(LearnerState(), [*goals, other]).lessons["l"]
    assert lesson.goals_reached == {"x": ("a", "b"), "y": ("a",)}
    assert lesson.labs_done == ()


def test_the_first_prediction_counts_in_any_order() -> None:
    first = Predicted(at=1.0, id="a", lesson="l", prediction="x", guess="40", off=-0.3)
    second = Predicted(at=2.0, id="b", lesson="l", prediction="x", guess="77", off=0.0)
    other = Predicted(at=3.0, id="c", lesson="l", prediction="y", guess="2", right=True)
    draft = PredictionDraft(prediction="x", text="4")
    state = place(LearnerState(), LessonState(lesson="l", prediction_draft=draft))
    for events in ([first, second, other], [other, second, first]):
        lesson = fold(state, events).lessons["l"]
        assert lesson.predictions == {"x": first, "y": other}
        assert lesson.prediction_draft is None
    kept = fold(state, [other]).lessons["l"].prediction_draft
    assert kept == draft


def test_the_answer_to_the_current_question_is_kept_with_it() -> None:
    draft = Draft(version=1, answer="1", attempt=2)
    state = place(LearnerState(), LessonState(lesson="one-question", question="q", draft=draft))
    other = fold(state, [answered(1, question="other")])
    assert other.lessons["one-question"].answer == ""
    lesson = fold(state, [answered(1, question="q")]).lessons["one-question"]
    assert lesson.answer == UNKNOWN_ANSWER  # the event has no text
    assert lesson.draft == draft  # the number of the attempt is still needed


def test_an_answer_removes_the_draft_of_a_review() -> None:
    draft = Draft(version=1, answer="1")
    state = with_draft(with_draft(LearnerState(), "question-1", draft), "question-2", draft)
    assert fold(state, [answered(1)]).drafts == {"question-2": draft}
    forgotten = Forgotten(at=9.0, lesson="l", questions=("question-1", "question-2"))
    assert fold(state, [forgotten]).drafts == {}
    assert state.drafts.keys() == {"question-1", "question-2"}


def test_finishing_a_lesson_keeps_the_place_in_it() -> None:
    state = place(LearnerState(), LessonState(lesson="l", screen="end", visited_at=9.0))
    lesson = fold(state, [LessonRead(at=3.0, lesson="l")]).lessons["l"]
    assert (lesson.screen, lesson.read, lesson.visited_at) == ("end", True, 9.0)


def test_fold_does_not_change_its_input() -> None:
    before = fold(LearnerState(), [answered(1)])
    fold(before, [answered(2), LabDone(at=1.0, lab="x", lesson="l")])
    assert set(before.cards) == {"question-1"}
    assert before.lessons == {}


def test_invalid_documents_are_left_out_and_counted() -> None:
    card = {
        "question": "good",
        "version": 1,
        "lesson": "l",
        "answers": 1,
        "correct": 1,
        "last_correct": True,
        "last_at": 1.0,
        "of a later version": 5,
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


def test_events_are_sorted_by_time() -> None:
    late, early = named(2, id="a"), named(1, id="b")
    assert in_order([late, early]) == [early, late]


def test_simultaneous_answers_are_sorted_by_id() -> None:
    first, second = (msgspec.structs.replace(named(1), id=id) for id in "ab")
    assert fold(LearnerState(), [first, second]).stale == frozenset()
    assert fold(LearnerState(), [second, first]).stale == {"question-1"}


def test_only_undoing_the_last_answer_needs_no_other_events() -> None:
    older, last = (msgspec.structs.replace(named(1), id=id) for id in "ab")
    state = fold(LearnerState(), [older, last])
    undone = Undone(at=2_000_000.0, answer=older.id, question="question-1")
    after = fold(state, [undone])
    assert after.cards == state.cards
    assert (after.stale, after.undo) == (frozenset({"question-1"}), Undo())


def test_forgetting_includes_simultaneous_answers() -> None:
    answer = answered(1)
    forgotten = Forgotten(at=answer.at, lesson=answer.lesson, questions=(answer.question,))
    assert fold(LearnerState(), [answer, forgotten]).cards == {}


def test_the_latest_suspension_counts_in_any_order() -> None:
    late = Suspended(at=2.0, question="question-1", suspended=True)
    early = Suspended(at=1.0, question="question-1", suspended=False)
    for events in ([early, late], [late, early]):
        assert fold(LearnerState(), [answered(1), *events]).cards["question-1"].suspended


def test_bits_add_up_to_the_same_in_any_order() -> None:
    guesses = [
        Guessed(at=0.0, text="a", guess="b", actual="b", rank=1, learner_bits=bits, model_bits=bits)
        for bits in (0.1, 0.2, 0.3, 1e6)
    ]
    sums = {fold(LearnerState(), order).guesses.learner_bits for order in (guesses, guesses[::-1])}
    assert len(sums) == 1


def test_the_bits_of_guesses_add_up_to_the_same_total_in_any_order() -> None:
    """Adding floats depends on their order, but adding these fractions of a bit does not."""
    guesses = [
        Guessed(at=n, text="a", guess="b", actual="c", rank=2, learner_bits=bits, model_bits=bits)
        for n, bits in enumerate((0.1, 0.2, 0.3))
    ]
    totals = {
        fold(LearnerState(), order).guesses.learner_bits
        for order in (guesses, guesses[::-1], guesses[2:] + guesses[:2])
    }
    assert len(totals) == 1
    one, two, three = (guess.learner_bits for guess in guesses)
    assert one + two + three != three + two + one
