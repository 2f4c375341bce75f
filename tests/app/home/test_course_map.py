"""Test the course map: what it suggests first, and how it describes the selected row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.review.reviewing import DAY, QUESTIONS, Clock, answered, reviewer
from tests.app.whole_app import keys, sees, until, whole_app
from tests.sample_course import LESSON
from tutor.app.home.rows import First, with_left
from tutor.app.home.screen import HomeScreen
from tutor.course.catalogue import Course
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, GoalReached, LessonState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

SECOND = msgspec.structs.replace(
    LESSON, id="second", number=3, title="The next lesson", summary="What follows.", questions=()
)
COURSE = Course(lessons=(msgspec.structs.replace(LESSON, questions=QUESTIONS), SECOND))
READ = LessonState(
    lesson=LESSON.id, screen="again", seen=("question", "distribution", "again"), visited_at=1.0
)


def first_lines(pilot: Pilot[Any]) -> list[str]:
    """Return the two rows above the lessons, without the cursor."""
    lines = [line[3:].strip() for line in shown(pilot.app).splitlines()[2:4]]
    return [line.split("│")[0].rstrip() for line in lines]


async def test_a_goal_reached_in_a_lab_does_not_begin_its_lesson(tmp_path: Path) -> None:
    """A newcomer who only did labs is not told to continue a lesson that they never opened."""
    Progress.open(tmp_path).record(GoalReached(at=1.0, lab="neighbors", lesson="second", goal="x"))
    async with reviewer(tmp_path, Clock(), course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin      2 One question")
        assert "Continue" not in shown(pilot.app)
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")


async def test_after_the_last_screen_the_open_questions_come_next(tmp_path: Path) -> None:
    Progress.open(tmp_path).save_lesson(READ)
    async with reviewer(tmp_path, Clock(), course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Continue   2 One question, asked again and again · 3 questions left")
        await keys(pilot, "enter")
        await sees(pilot, "question ")


async def test_a_look_at_the_questions_does_not_end_the_reading(tmp_path: Path) -> None:
    """Not even if the learner has chosen an answer to the first one, and not submitted it."""
    async with whole_app(tmp_path).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin      2 One question")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")
        await keys(pilot, "right")
        await sees(pilot, "2 of 3")
        await keys(pilot, "a")
        await sees(pilot, "question 1 of")
        await keys(pilot, "a", "escape")
        await sees(pilot, "2 of 3")
        await keys(pilot, "escape")
        await sees(pilot, "› Continue   2 One question, asked again and again · screen 2 of 3")
        assert "left" not in shown(pilot.app)
        await keys(pilot, "enter")
        await sees(pilot, "2 of 3")


async def test_a_lesson_opened_by_accident_does_not_become_the_next_step(tmp_path: Path) -> None:
    clock = Clock()
    async with reviewer(tmp_path, clock, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin      2 One question")
        await keys(pilot, "enter", "right")
        await sees(pilot, "2 of 3")
        await keys(pilot, "escape")
        await sees(pilot, "› Continue   2 One question, asked again and again · screen 2 of 3")
        clock.at += 1
        await keys(pilot, "down", "down", "down", "enter")
        await sees(pilot, "3 The next lesson · 1 of 3")
        await keys(pilot, "escape")
        await sees(pilot, "Continue   2 One question, asked again and again · screen 2 of 3")
        clock.at += 1
        await keys(pilot, "enter", "right")
        await sees(pilot, "3 The next lesson · 2 of 3")
        await keys(pilot, "escape")
        await sees(pilot, "Continue   3 The next lesson · screen 2 of 3")


async def test_the_map_names_the_next_lesson_that_the_end_of_a_lesson_names(
    tmp_path: Path,
) -> None:
    """The questions that were skipped or answered wrong are counted in the same row."""
    clock = Clock()
    progress = Progress.open(tmp_path, clock=clock)
    progress.record(
        Answered(at=clock(), question="sum-1", version=1, lesson=LESSON.id, correct=False)
    )
    progress.save_lesson(READ)
    async with reviewer(tmp_path, clock, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin      3 The next lesson · also 3 questions left in lesson 2")
        pilot.app.navigator.open_end(COURSE.lessons[0])  # type: ignore[attr-defined]
        await sees(pilot, "› Next lesson 3 The next lesson")
        await sees(pilot, "To finish the lesson,")
        said = " ".join(shown(pilot.app).split())
        assert "To finish the lesson, press a and answer 3 more questions right." in said


@pytest.mark.parametrize(
    ("lessons", "where"),
    [
        ([1], "lesson 1"),
        ([1, 2], "lessons 1 and 2"),
        ([1, 2, 4], "lessons 1, 2 and 4"),
        ([1, 2, 3, 4, 5], "5 other lessons"),
    ],
)
def test_the_questions_that_are_left_are_not_taken_for_those_of_the_next_lesson(
    lessons: list[int], where: str
) -> None:
    row = with_left(First("Begin", "6 Numbers"), lessons, 4)
    assert row.draw(80).plain == f"{'Begin':<11}6 Numbers · also 4 questions left in {where}"


async def test_a_title_is_shown_before_the_questions_that_are_left(tmp_path: Path) -> None:
    title = "From rules to retrieval to generation"
    second = msgspec.structs.replace(SECOND, number=12, title=title)
    clock = Clock()
    progress = Progress.open(tmp_path, clock=clock)
    progress.record(
        Answered(at=clock(), question="sum-1", version=1, lesson=LESSON.id, correct=False)
    )
    progress.save_lesson(READ)
    course = Course(lessons=(COURSE.lessons[0], second))
    async with reviewer(tmp_path, clock, course=course).run_test(size=(100, 24)) as pilot:
        await sees(pilot, f"› Begin      12 {title} · also 3 questions left in lesson 2")
        await pilot.resize_terminal(80, 24)
        await sees(pilot, f"› Begin      12 {title} · 3 left in lesson 2")
        await pilot.resize_terminal(60, 24)
        await until(pilot, lambda: first_lines(pilot)[0] == f"Begin      12 {title}")


async def test_reviews_come_before_a_new_lesson(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    Progress.open(tmp_path).save_lesson(READ)
    async with reviewer(tmp_path, clock, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin      3 The next lesson")
        await sees(pilot, "1 of 2 lessons done · you remember answers for about 2 days")
        await pilot.resize_terminal(60, 24)
        await until(pilot, lambda: "you remember" not in shown(pilot.app))
        await sees(pilot, "1 of 2 lessons done")
    clock.at += 3 * DAY
    async with reviewer(tmp_path, clock, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Review     3 due · about 1 minute")
        assert first_lines(pilot)[1] == "Begin      3 The next lesson"
        await keys(pilot, "enter")
        await sees(pilot, "review")


async def test_reviews_below_a_lesson_that_was_begun_do_not_have_to_wait(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    progress = Progress.open(tmp_path)
    progress.save_lesson(READ)
    seen = ("question", "distribution")
    progress.save_lesson(
        LessonState(lesson="second", screen="distribution", seen=seen, visited_at=2.0)
    )
    clock.at += 3 * DAY
    async with reviewer(tmp_path, clock, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Continue   3 The next lesson · screen 2 of 3")
        review = "Review     3 due · about 1 minute"
        assert first_lines(pilot)[1] == f"{review}, now or after the lesson you have begun"
        await pilot.resize_terminal(60, 24)
        await until(pilot, lambda: first_lines(pilot)[1] == review)


async def test_whoever_has_done_everything_is_led_to_the_labs(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    Progress.open(tmp_path).save_lesson(READ)
    everything = msgspec.structs.replace(READ, lesson="second")
    Progress.open(tmp_path).save_lesson(everything)
    async with reviewer(tmp_path, clock, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Explore    Labs · you have done every lesson")
        await keys(pilot, "enter")
        await sees(pilot, "type to filter")


async def test_a_wrong_answer_in_a_review_is_counted_as_wrong(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    progress = Progress.open(tmp_path, clock=clock)
    progress.save_lesson(READ)
    wrong = Answered(at=clock() + DAY, question="sum-1", version=1, lesson=LESSON.id, correct=False)
    progress.record(wrong)
    async with reviewer(tmp_path, clock, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "done · 1 wrong")
        assert "a wrong answers" not in shown(pilot.app)
        await keys(pilot, "a")  # no lesson is selected
        await sees(pilot, "This key works in the row of a lesson that is done and has wrong")
        await keys(pilot, "question_mark")
        await sees(pilot, "In a row of a lesson that is done, answer the")
        await keys(pilot, "escape")
        await keys(pilot, "down", "down")
        await sees(pilot, "a wrong answers")
        await pilot.resize_terminal(120, 30)
        await sees(pilot, "1 wrong (a)")
        await keys(pilot, "a")
        await sees(pilot, "question 1 of 1")
        await sees(pilot, "These are only the questions that you left open or answered wrong.")
        await keys(pilot, "escape")
        await sees(pilot, "done · 1 wrong")
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_a_lesson_that_is_done_opens_at_its_beginning(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2, 3)
    Progress.open(tmp_path).save_lesson(READ)
    async with reviewer(tmp_path, clock, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "done")
        await keys(pilot, "down", "down", "enter")
        await sees(pilot, "1 of 3")


async def test_a_lesson_with_questions_left_opens_the_next_one_above_its_text(
    tmp_path: Path,
) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    Progress.open(tmp_path).save_lesson(READ)
    async with reviewer(tmp_path, clock, course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "1 question left")
        await keys(pilot, "down", "down", "enter")
        await sees(pilot, "question 1 of 1")
        await keys(pilot, "escape")
        await sees(pilot, "3 of 3")
        await sees(pilot, "enter questions")
        await keys(pilot, "escape")
        await sees(pilot, "1 question left")


async def test_the_cursor_goes_to_the_next_step_when_there_is_another_one(tmp_path: Path) -> None:
    Progress.open(tmp_path).save_lesson(READ)
    one = msgspec.structs.replace(LESSON, questions=(LESSON.question("bits"),))
    course = Course(lessons=(one, SECOND))
    async with reviewer(tmp_path, Clock(), course=course).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Continue   2 One question")
        await keys(pilot, "down", "down", "enter")
        await sees(pilot, "question 1 of 1")
        await keys(pilot, "escape", "escape")
        await sees(pilot, "Continue   2 One question")
        assert "› Continue" not in shown(pilot.app)  # the next step is still the same
        await keys(pilot, "enter")
        await sees(pilot, "question 1 of 1")
        await keys(pilot, "2", "enter")
        await sees(pilot, "saved")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 1 right")
        await keys(pilot, "escape")
        await sees(pilot, "› Begin      3 The next lesson")


async def test_a_wide_screen_describes_the_selected_row(tmp_path: Path) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)
    async with reviewer(tmp_path, clock, course=COURSE).run_test(size=(120, 30)) as pilot:
        await sees(pilot, "Questions     2/3 right, 1 open")
        await sees(pilot, "Recall today  100 %")
        await sees(pilot, "The answer is a distribution")
        await keys(pilot, "down")
        await sees(pilot, "Each question that you have answered")
        await keys(pilot, "down", "down")
        await sees(pilot, "What follows.")
        await pilot.resize_terminal(80, 24)
        await sees(pilot, "3  The next lesson")
        await until(pilot, lambda: not pilot.app.screen.query_one("#details").display)


async def test_a_lesson_has_a_line_about_it_where_there_is_room_for_all(tmp_path: Path) -> None:
    async with reviewer(tmp_path, Clock(), course=COURSE).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "3  The next lesson")
        await sees(pilot, "What follows.")
        await pilot.resize_terminal(80, 14)
        await until(pilot, lambda: "What follows." not in shown(pilot.app))
        await sees(pilot, "3  The next lesson")


@pytest.mark.parametrize("row", ["lesson", "review"])
def test_how_it_looks(snap_compare: Callable[..., bool], tmp_path: Path, row: str) -> None:
    clock = Clock()
    answered(tmp_path, clock, 1, 2)

    async def shows(pilot: Pilot[Any]) -> None:
        await sees(pilot, "●")
        await sees(pilot, "you remember answers")
        await keys(pilot, *["down"] * (row == "review"))
        await pilot.pause()

    app = reviewer(tmp_path, clock, course=COURSE)
    assert snap_compare(app, run_before=shows, terminal_size=(120, 30))
