"""Test the end of a lesson: what is left for later, what comes next, and what was learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.review.reviewing import Clock
from tests.app.whole_app import keys, sees, until, whole_app
from tests.sample_course import LESSON
from tutor.app.home.screen import HomeScreen
from tutor.app.quiz.result import ResultScreen
from tutor.app.reader.lesson import LessonScreen
from tutor.app.widgets.more_below import MoreBelow
from tutor.classroom.learner import studied
from tutor.course.catalogue import Course
from tutor.course.lesson import Lesson
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, LessonState
from tutor.study.quiz_run import QuizRun, left_for_later
from tutor.study.results import results

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (80, 24)
TWO = tuple(LESSON.question(each) for each in ("cosine", "bits"))
FIRST = msgspec.structs.replace(
    LESSON,
    questions=TWO,
    learned=("A model answers *one* question.", "It gives every token a probability."),
)
SECOND = msgspec.structs.replace(
    LESSON, id="tokens", number=3, title="Tokens", screens=LESSON.screens[2:], questions=()
)
COURSE = Course(lessons=(FIRST, SECOND))


def answered(folder: Path, question: str, *, correct: bool, at: float = 1.0) -> None:
    event = Answered(at=at, question=question, version=1, lesson=FIRST.id, correct=correct)
    Progress.open(folder).record(event)


def read(folder: Path, lesson: Lesson = FIRST) -> None:
    """Save that the learner has seen every screen of a lesson and is at the last one."""
    ids = tuple(screen.id for screen in lesson.screens)
    state = LessonState(lesson=lesson.id, screen=ids[-1], seen=ids, visited_at=1.0)
    Progress.open(folder).save_lesson(state)


async def test_a_skipped_question_is_left_for_later_and_recorded_nowhere(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of 2")
        await keys(pilot, "s")
        await sees(pilot, "Question 1 is left for later.")
        await keys(pilot, "2", "enter")
        await sees(pilot, "✓ Right: 2 bits.")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 2 right, 1 left for later.")
        await sees(pilot, "○ Two vectors point the same way")
        assert "×" not in shown(pilot.app)
    progress = Progress.open(tmp_path)
    assert set(progress.cards()) == {"bits"}
    seen = studied("me", COURSE, progress.state(), progress.events(), 2.0)
    assert (seen.row.answered, seen.row.right) == (1, 1)
    assert set(seen.first_answers) == {"bits"}


def test_a_skipped_question_has_its_number_only_in_a_quiz_of_all_questions() -> None:
    whole = QuizRun(("cosine", "bits"), 1, index=1)
    assert left_for_later(whole).startswith("Question 2 is left for later.")
    some = QuizRun(("bits",), 1, left_out=("cosine",))
    assert left_for_later(some) == "The previous question is left for later."


async def test_only_what_is_open_or_was_wrong_is_asked_again(tmp_path: Path) -> None:
    answered(tmp_path, "cosine", correct=True)
    answered(tmp_path, "bits", correct=False)
    read(tmp_path)
    async with whole_app(tmp_path, course=COURSE).run_test(size=SIZE) as pilot:
        await sees(pilot, "One question, asked")
        pilot.app.navigator.open_lesson(FIRST, "again")  # type: ignore[attr-defined]
        await sees(pilot, "3 of 3")
        await keys(pilot, "enter")
        await sees(pilot, "question 1 of 1")
        await sees(pilot, "These are only the questions that you left open or answered wrong.")
        await sees(pilot, "probability 0.25")
    # the quiz stays as short after a restart
    async with whole_app(tmp_path, course=COURSE).run_test(size=SIZE) as pilot:
        await sees(pilot, "One question, asked")
        pilot.app.navigator.open_quiz(FIRST)  # type: ignore[attr-defined]
        await sees(pilot, "question 1 of 1")
        await keys(pilot, "2", "enter")
        await sees(pilot, "✓ Right")
        await keys(pilot, "enter")
        await sees(pilot, "2 of 2 right.")
        assert "a questions" not in shown(pilot.app)
        await sees(pilot, "Press r to restart the quiz; your answers are kept.")
        await keys(pilot, "r")
        await sees(pilot, "question 1 of 2")
        await sees(pilot, "You are answering all questions again. Your earlier answers are kept.")
        assert "These are only" not in shown(pilot.app)


async def test_escape_leads_from_questions_to_the_end_and_from_there_out(tmp_path: Path) -> None:
    answered(tmp_path, "cosine", correct=True)
    answered(tmp_path, "bits", correct=False)
    read(tmp_path)
    app = whole_app(tmp_path, course=COURSE)
    async with app.run_test(size=SIZE) as pilot:
        await sees(pilot, "One question, asked")
        app.navigator.open_lesson(FIRST, "again")
        await sees(pilot, "enter questions")
        await keys(pilot, "enter")
        await sees(pilot, "question 1 of 1")
        await keys(pilot, "s")
        await sees(pilot, "end of the lesson")
        await keys(pilot, "a")
        await sees(pilot, "question 1 of 1")
        await keys(pilot, "escape")
        await sees(pilot, "end of the lesson")
        await keys(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_the_end_of_a_lesson_says_what_was_learned_and_enter_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, "cosine", correct=True, at=clock.at)
    answered(tmp_path, "bits", correct=True, at=clock.at)
    read(tmp_path)
    app = whole_app(tmp_path, course=COURSE, clock=clock)
    async with app.run_test(size=SIZE) as pilot:
        await sees(pilot, "One question, asked")
        app.navigator.open_lesson(FIRST, "again")
        await sees(pilot, "3 of 3")
        await keys(pilot, "enter")  # nothing is left to ask
        for words in (
            "What you have learned",
            "• A model answers one question.",
            "2 of 2 right.",
            "0 of 1 done, 2 goals open.",
            "2 questions come back in 2 days.",
            "› Next lesson 3 Tokens",
            "Lab         The answer is a distribution: 2 goals open",
        ):
            await sees(pilot, words)
        await keys(pilot, "enter")
        await sees(pilot, "3 Tokens · 1 of 1")
        assert [type(each) for each in app.screen_stack] == [HomeScreen, LessonScreen]
        await keys(pilot, "enter")  # the last lesson, which has no questions
        await until(pilot, lambda: isinstance(app.screen, ResultScreen))
        assert "Questions" not in shown(app)


@pytest.mark.parametrize("days", [0, 1, 3])
async def test_the_end_of_a_lesson_names_the_questions_over_the_daily_limit(
    tmp_path: Path, days: int
) -> None:
    clock = Clock()
    answered(tmp_path, "cosine", correct=True, at=clock.at)
    answered(tmp_path, "bits", correct=True, at=clock.at)
    read(tmp_path)
    Progress.open(tmp_path).save_setting("review.new", 1)
    clock.at += days * 86_400
    app = whole_app(tmp_path, course=COURSE, clock=clock)
    async with app.run_test(size=SIZE) as pilot:
        app.navigator.open_end(FIRST)
        when = ("in 2 days", "tomorrow", "", "now")[days]
        said = (
            f"Review 2 questions come back {when}. Reviews ask you at most 1 new question a day, "
            "over all lessons, so some questions can come later."
        )
        await until(pilot, lambda: said in " ".join(shown(app).split()))


@pytest.mark.parametrize(
    ("right", "setting", "said"),
    [
        (
            True,
            "review.new",
            "2 questions come back in 2 days. Reviews ask you at most 0 new questions a day.",
        ),
        (
            False,
            "review.cap",
            "1 question comes back tomorrow, 1 in 2 days. Reviews ask you at most 0 questions a "
            "day.",
        ),
    ],
)
async def test_the_end_of_a_lesson_says_that_no_question_is_asked(
    tmp_path: Path, right: bool, setting: str, said: str
) -> None:
    clock = Clock()
    answered(tmp_path, "cosine", correct=True, at=clock.at)
    answered(tmp_path, "bits", correct=right, at=clock.at)
    read(tmp_path)
    Progress.open(tmp_path).save_setting(setting, 0)
    app = whole_app(tmp_path, course=COURSE, clock=clock)
    async with app.run_test(size=SIZE) as pilot:
        app.navigator.open_end(FIRST)
        await until(pilot, lambda: said in " ".join(shown(app).split()))


async def test_the_limit_is_shared_with_the_questions_of_other_lessons(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, "bits", correct=True, at=clock.at)
    answered(tmp_path, "cosine", correct=True, at=clock.at + 1)
    read(tmp_path)
    Progress.open(tmp_path).save_setting("review.new", 1)
    first, second = (msgspec.structs.replace(FIRST, questions=(each,)) for each in TWO)
    other = msgspec.structs.replace(SECOND, questions=second.questions)
    app = whole_app(tmp_path, course=Course(lessons=(first, other)), clock=clock)
    async with app.run_test(size=SIZE) as pilot:
        app.navigator.open_end(first)  # its only question, "cosine", is due after the other one
        said = (
            "1 question comes back in 2 days. Reviews ask you at most 1 new question a day, over "
            "all lessons, so some questions can come later."
        )
        await until(pilot, lambda: said in " ".join(shown(app).split()))


@pytest.mark.parametrize("size", [SIZE, (40, 12)])
async def test_the_title_says_that_the_lesson_is_done_after_the_last_right_answer(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    answered(tmp_path, "cosine", correct=True)
    read(tmp_path)
    app = whole_app(tmp_path, course=COURSE)
    async with app.run_test(size=size) as pilot:
        app.navigator.open_end(FIRST)
        await sees(pilot, "· end of the lesson")
        assert "lesson done" not in shown(app)
        await keys(pilot, "a", "2", "enter")
        await sees(pilot, "✓ Right")
        await keys(pilot, "enter")
        await sees(pilot, "· ✓ lesson done")


async def test_questions_opened_after_reading_on_lead_back_to_that_screen(tmp_path: Path) -> None:
    first, second, last = FIRST.screens
    state = LessonState(lesson=FIRST.id, screen=second.id, seen=(first.id, second.id))
    Progress.open(tmp_path).save_lesson(state)
    async with whole_app(tmp_path, course=COURSE).run_test(size=SIZE) as pilot:
        await sees(pilot, "One question, asked")
        await keys(pilot, "enter")
        await sees(pilot, "2 of 3")
        await keys(pilot, "a", "s", "s")
        await sees(pilot, "› Read on")
        await keys(pilot, "enter")
        await sees(pilot, "3 of 3")
        await keys(pilot, "a")
        await sees(pilot, "question 1 of 2")
        await keys(pilot, "escape")
        await sees(pilot, "3 of 3")
    assert Progress.open(tmp_path).lesson(FIRST.id).screen == last.id


async def test_on_a_small_screen_enter_pages_down_before_it_goes_on(tmp_path: Path) -> None:
    read(tmp_path)
    learned = tuple(f"{name} is a sentence that takes two lines at this size." for name in "abc")
    course = Course(lessons=(msgspec.structs.replace(FIRST, learned=learned), SECOND))
    answered(tmp_path, "cosine", correct=True)
    answered(tmp_path, "bits", correct=True)
    app = whole_app(tmp_path, course=course)
    async with app.run_test(size=(40, 12)) as pilot:
        app.navigator.open_lesson(course.lessons[0], "again")
        await sees(pilot, "3 of 3")
        await keys(pilot, "enter")
        await sees(pilot, "• a is a sentence")
        await sees(pilot, "more lines below")
        assert "Next lesson" not in shown(app)
        await keys(pilot, "enter")
        await sees(pilot, "› Next lesson")
        assert isinstance(app.screen, ResultScreen)
        await keys(pilot, "enter")
        await sees(pilot, "Tokens · 1 of 1")


@pytest.mark.parametrize("version", [1, 2])
def test_results_by_the_last_answer_to_the_current_version(tmp_path: Path, version: int) -> None:
    answered(tmp_path, "cosine", correct=True)
    answered(tmp_path, "bits", correct=False)
    first = TWO[0]
    assert first is not None
    changed = msgspec.structs.replace(first, version=version)
    lesson = msgspec.structs.replace(FIRST, questions=(changed, TWO[1]))
    found = results(lesson, Progress.open(tmp_path).cards())
    assert [each.id for each in found.wrong] == ["bits"]
    assert [each.id for each in found.open_] == (["cosine"] if version == 2 else [])
    assert found.left_out == (("cosine",) if version == 1 else ())


async def test_the_lines_hidden_below_are_counted_again_at_another_size(tmp_path: Path) -> None:
    answered(tmp_path, "bits", correct=False)
    read(tmp_path)
    app = whole_app(tmp_path, course=COURSE)
    async with app.run_test(size=(120, 40)) as pilot:
        await sees(pilot, "One question, asked")
        app.navigator.open_end(FIRST)
        await sees(pilot, "What you have learned")
        more = app.screen.query_one(MoreBelow)
        assert not more.display
        await pilot.resize_terminal(40, 12)
        scrolled = app.screen.query_one("#result")
        await until(pilot, lambda: more.hidden == scrolled.max_scroll_y > 0)
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: not more.display)
