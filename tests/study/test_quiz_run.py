"""Test that a quiz continues whatever happened to its lesson in the meantime."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.sample_course import LESSON
from tutor.course.lesson import Lesson
from tutor.course.questions.question import Question
from tutor.course.questions.text import TextQuestion
from tutor.learner.records import Answered, Card, Draft, LessonState
from tutor.learner.state import LearnerState, fold, place
from tutor.study.lesson_progress import lesson_progress
from tutor.study.quiz_run import QuizRun, answer_given, begun, entered, resumed

NAMES = [f"q-{number}" for number in range(6)]


def question(name: str, version: int) -> Question:
    return TextQuestion(id=name, version=version, ask="?", hint="!", why=".", accept=("yes",))


def lesson(*questions: Question) -> Lesson:
    return msgspec.structs.replace(LESSON, questions=questions)


@st.composite
def lessons(draw: st.DrawFn) -> Lesson:
    """Draw a lesson after any update: questions in any order and version."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return lesson(*(question(name, draw(st.integers(1, 3))) for name in names))


@st.composite
def under_way(draw: st.DrawFn) -> tuple[Lesson, LearnerState]:
    """Draw a lesson, and a learner who has answered some of its questions and skipped others."""
    course = draw(lessons())
    run = begun(course, seed=7)
    learner = place(LearnerState(), run.saved_in(LessonState(lesson=course.id)))
    for _ in range(draw(st.integers(0, len(course.questions)))):
        if draw(st.booleans()):
            learner = answered(course, run, learner, correct=draw(st.booleans()))
        if run.over or draw(st.booleans()):
            break
        run = run.next()
        learner = place(learner, run.saved_in(learner.lessons[course.id]))
    if not run.over and draw(st.booleans()):
        draft = Draft(version=run.question(course).version, answer="ye")
        learner = place(learner, run.saved_in(learner.lessons[course.id], draft))
    return course, learner


def answered(course: Lesson, run: QuizRun, learner: LearnerState, *, correct: bool) -> LearnerState:
    asked = run.question(course)
    event = Answered(
        at=1.0,
        question=asked.id,
        version=asked.version,
        lesson=course.id,
        correct=correct,
        answer="no",
    )
    return fold(learner, [event])


@given(under_way(), lessons())
def test_after_any_update_a_quiz_continues_at_an_existing_question(
    before: tuple[Lesson, LearnerState], updated: Lesson
) -> None:
    _, learner = before
    state = learner.lessons[updated.id]
    run = resumed(updated, state)
    where = lesson_progress(updated, state, learner.cards)
    assert where.in_quiz == (run is not None)
    assert 0 <= where.right <= where.answered <= where.questions
    assert 0 <= where.fraction <= 1
    assert isinstance(where.words, str)
    if run is None:
        return
    ids = {each.id for each in updated.questions}
    assert set(run.order) == ids  # every question comes once, including new ones
    assert len(run.order) == len(ids)
    if state.question in ids:
        assert run.question(updated).id == state.question
    while not run.over:  # the quiz ends
        asked = run.question(updated)
        card = learner.cards.get(asked.id)
        draft = entered(asked, state)
        if draft is not None or answer_given(asked, state, card):
            assert asked.id == state.question
        run = run.next()
    assert resumed(updated, run.saved_in(state)) is None


@given(under_way())
def test_without_an_update_a_quiz_continues_where_it_was(
    before: tuple[Lesson, LearnerState],
) -> None:
    course, learner = before
    state = learner.lessons[course.id]
    run = resumed(course, state)
    assert (run is None) == (not state.question)
    if run is not None:
        assert run.is_in(state)
        asked = run.question(course)
        assert entered(asked, state) == state.draft
        assert answer_given(asked, state, learner.cards.get(asked.id)) == state.answer


def test_an_answer_or_draft_does_not_count_for_a_new_version() -> None:
    old, new = question("q-1", 1), question("q-1", 2)
    state = LessonState(
        lesson=LESSON.id, question="q-1", answer="no", draft=Draft(version=1, answer="n")
    )
    card = Card(
        question="q-1", version=1, lesson="l", answers=1, correct=0, last_correct=False, last_at=1.0
    )
    assert (answer_given(old, state, card), answer_given(new, state, card)) == ("no", "")
    assert (entered(old, state), entered(new, state)) == (state.draft, None)


def test_an_invalid_place_does_no_harm() -> None:
    course = lesson(question("q-1", 1), question("q-2", 1))
    twice = ("q-2", "q-2", "q-1", "gone", "q-2")
    run = resumed(course, LessonState(lesson=course.id, question="q-1", quiz_order=twice))
    assert run == QuizRun(("q-2", "q-1"), 0, 1)
    nowhere = LessonState(lesson=course.id, question="q-1", quiz_order=("q-2",))
    assert resumed(course, nowhere) is None


def test_a_lesson_without_questions_has_nothing_to_ask() -> None:
    assert begun(lesson(), 1).over


def test_a_quiz_stays_without_the_questions_that_it_leaves_out() -> None:
    course = lesson(*(question(name, 1) for name in ("q-0", "q-1", "q-2")))
    run = begun(course, 7, left_out=("q-1",))
    assert run.order == ("q-0", "q-2")
    state = run.next().saved_in(LessonState(lesson=course.id))
    updated = lesson(*course.questions, question("q-3", 1))
    again = resumed(updated, state)
    assert again == QuizRun(("q-0", "q-2", "q-3"), 7, 1, ("q-1",))
    ended = again.next().next().saved_in(state)
    assert ended.quiz_left_out == ()
    assert (state.quiz_ended, ended.quiz_ended) == (False, True)


def test_a_quiz_of_an_older_version_asks_every_question() -> None:
    course = lesson(question("q-0", 1), question("q-1", 1))
    old = LessonState(lesson=course.id, question="q-0", quiz_order=("q-0", "q-1"), quiz_seed=7)
    assert resumed(course, old) == QuizRun(("q-0", "q-1"), 7)
