"""Test labs of `tutor.labs` that a lesson embeds, and the list of all labs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from msgspec.structs import replace

from tests.app.whole_app import keys, sees, until, whole_app
from tests.labs.lab_stage import BackendEngine, do, seen
from tutor.app.labs.screen import LabScreen
from tutor.app.widgets.lab_card import LabTask
from tutor.course.catalogue import Course, Opening, load_course
from tutor.course.goals import OTHER_GOALS
from tutor.course.lesson import Lab, Lesson, LiveGoal, Screen
from tutor.labs.kit import registry
from tutor.learner.records import GoalReached
from tutor.paths import lessons_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.app import TutorApp

PARTS = Lab(
    id="pieces",
    kind="live",
    live="tokens",
    task="Find a word that costs five tokens.",
    goals=(LiveGoal("five-token-word"),),
    done="Rare words are many tokens.",
)
LESSON = Lesson(
    id="tokens",
    number=1,
    version=1,
    title="Tokens",
    summary="What it reads.",
    screens=(Screen(id="cut", title="Cut", body="A text is cut.", lab=PARTS),),
    questions=(),
)


def app_with_the_lesson(folder: Path) -> TutorApp:
    return whole_app(folder, BackendEngine(), Course(lessons=(LESSON,)))


async def reach(pilot: Any) -> None:
    await do(pilot, "e")
    pilot.app.screen.focused.load("Donaudampfschifffahrt")
    await do(pilot, "enter")


async def test_a_lab_opens_from_its_lesson_screen_and_is_done(tmp_path: Path) -> None:
    app = app_with_the_lesson(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.navigator.open_lesson(LESSON)
        await sees(pilot, "l to open the lab")
        assert "○ Write a text of one word that has at least 5 tokens" in seen(pilot)
        await keys(pilot, "l")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await keys(pilot, "g")
        assert "Find a word that costs five tokens." in seen(pilot)
        await reach(pilot)
        await sees(pilot, "Rare words are many tokens.")
        await keys(pilot, "escape", "escape")  # the first one closes the goals
        await sees(pilot, "✓ Write a text of one word that has at least 5 tokens")
        assert "pieces" in app.progress.lesson("tokens").labs_done


async def test_the_conclusion_of_a_lab_is_scrolled_into_view(tmp_path: Path) -> None:
    app = app_with_the_lesson(tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        app.navigator.open_lesson(LESSON)
        await sees(pilot, "l to open the lab")
        await keys(pilot, "l")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await reach(pilot)
        await until(pilot, lambda: "pieces" in app.progress.lesson("tokens").labs_done)
        await keys(pilot, "escape")
        await sees(pilot, "✓ Rare words are many")


async def test_a_task_that_is_done_makes_room_for_what_the_lab_is_about(tmp_path: Path) -> None:
    app = app_with_the_lesson(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.navigator.open_lesson(LESSON)
        await sees(pilot, "l to open the lab")
        await keys(pilot, "l")
        await sees(pilot, "Find a word that costs five tokens.")
        await reach(pilot)
        await do(pilot, "right")  # the next change removes the news about the goal
        assert "Find a word that costs five tokens." not in seen(pilot)
        assert registry.find("tokens").about in seen(pilot)
        assert "✓ 1 of 1 goal reached" in seen(pilot)


async def test_what_a_lesson_says_about_a_done_lab_stays_until_the_next_change(
    tmp_path: Path,
) -> None:
    app = app_with_the_lesson(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.navigator.open_lesson(LESSON)
        await sees(pilot, "l to open the lab")
        await keys(pilot, "l")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await reach(pilot)
        await sees(pilot, "Rare words are many tokens.")
        cast("LabScreen", app.screen)._changed()  # as when another result of the model arrives
        await do(pilot)
        assert "Rare words are many tokens." in seen(pilot)
        await do(pilot, "right")
        assert "Rare words are many tokens." not in seen(pilot)


async def test_what_a_lesson_says_about_a_done_lab_has_no_markdown(tmp_path: Path) -> None:
    lab = replace(PARTS, done="Rare words, *not* `the`, are many tokens.")
    lesson = replace(LESSON, screens=(replace(LESSON.screens[0], lab=lab),))
    app = whole_app(tmp_path, BackendEngine(), Course(lessons=(lesson,)))
    async with app.run_test(size=(80, 24)) as pilot:
        app.navigator.open_lesson(lesson)
        await sees(pilot, "l to open the lab")
        await keys(pilot, "l")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await reach(pilot)
        await sees(pilot, "Rare words, not the, are many tokens.")


async def test_the_task_comes_before_the_number_of_goals_reached(tmp_path: Path) -> None:
    course = load_course()
    lesson = next(each for each in course.lessons if each.number == 1)
    (lab,) = (each.lab for each in lesson.screens if each.id == "mend" and each.lab)
    app = whole_app(tmp_path, BackendEngine(), course)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Begin")
        app.navigator.open_lab(lesson, lab)
        await sees(pilot, "press r to ask again.")  # the end of the task, in the second line
        assert "of 1 goal reached" not in seen(pilot)
        await pilot.resize_terminal(110, 24)
        await sees(pilot, "0 of 1 goal reached")  # there is room for it after the goal
        assert "press r to ask again." not in seen(pilot)
        await pilot.resize_terminal(110, 40)
        await sees(pilot, "press r to ask again.")  # there is room for both
        assert "0 of 1 goal reached" in seen(pilot)


async def test_the_card_of_a_lab_says_how_far_the_learner_got(tmp_path: Path) -> None:
    two = (LiveGoal("five-token-word"), LiveGoal("more-than-characters"))
    lesson = replace(LESSON, screens=(replace(LESSON.screens[0], lab=replace(PARTS, goals=two)),))
    app = whole_app(tmp_path, BackendEngine(), Course(lessons=(lesson,)))
    async with app.run_test(size=(80, 24)) as pilot:
        app.navigator.open_lesson(lesson)
        await sees(pilot, "Press l to open the lab. Your task there:")
        await keys(pilot, "l")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await reach(pilot)
        await keys(pilot, "escape")
        await sees(pilot, "Press l to continue the lab (1 of 2 goals reached). Your task there:")
        await keys(pilot, "l")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await do(pilot, "e")
        app.screen.focused.load("né à")  # type: ignore[union-attr]
        await do(pilot, "enter")
        await keys(pilot, "escape")
        await sees(pilot, "Press l to open the lab. Your task there:")
        assert "✓ Write a text with more tokens" in seen(pilot)


async def test_the_goals_of_the_lesson_screen_come_first(tmp_path: Path) -> None:
    lab = replace(PARTS, goals=(LiveGoal("long-token"),))
    lesson = replace(LESSON, screens=(replace(LESSON.screens[0], lab=lab),))
    app = whole_app(tmp_path, BackendEngine(), Course(lessons=(lesson,)))
    async with app.run_test(size=(80, 24)) as pilot:
        app.navigator.open_lesson(lesson)
        await sees(pilot, "l to open the lab")
        await keys(pilot, "l")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        assert "○ Find a token of at least 12 bytes" in seen(pilot)


async def test_only_the_goals_that_the_lesson_screen_asks_for_are_counted(tmp_path: Path) -> None:
    two = (LiveGoal("five-token-word"), LiveGoal("more-than-characters"))
    lab = replace(PARTS, goals=two)
    lesson = replace(LESSON, screens=(replace(LESSON.screens[0], lab=lab),))
    app = whole_app(tmp_path, BackendEngine(), Course(lessons=(lesson,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Tokens")
        app.navigator.open_lab(lesson, lab)
        await sees(pilot, "0 of 2 goals reached")
        await do(pilot, "g")
        lines = app.screen.query_one(LabTask).plain
        heading = lines.index(OTHER_GOALS)
        goals = [line[2:] for line in lines if line.startswith("○ ")]
        assert [line[2:] for line in lines[heading - 2 : heading]] == goals[:2]
        assert [line[2:] for line in lines[heading + 1 : heading + 3]] == goals[2:]
        await do(pilot, "escape")
        await reach(pilot)
        await sees(pilot, "✓ 1 of 2 goals reached: Write a text of one word")
        await do(pilot, "e")
        app.screen.focused.load("né à")  # type: ignore[union-attr]
        await do(pilot, "enter")
        await sees(pilot, "✓ 2 of 2 goals reached: Write a text with more tokens")
        await do(pilot, "right")
        assert "✓ 2 of 2 goals reached" in seen(pilot)
        assert "2 more goals, not asked for here  g" in seen(pilot)
        await keys(pilot, "escape")
        app.navigator.open_lab(lesson, lab)
        await sees(pilot, "✓ 2 of 2 goals reached")
        assert "2 more goals, not asked for here  g" in seen(pilot)
        await pilot.resize_terminal(40, 12)
        await sees(pilot, "✓ 2 of 2 goals reached")
        assert "not asked for" not in seen(pilot)  # there is no room for it


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_goal_reached_after_the_task_does_not_change_the_count(
    size: tuple[int, int], tmp_path: Path
) -> None:
    app = app_with_the_lesson(tmp_path)
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Tokens")
        app.navigator.open_lab(LESSON, PARTS)
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await reach(pilot)
        await do(pilot, "e")
        app.screen.focused.load("né à")  # type: ignore[union-attr]
        await do(pilot, "enter")
        await sees(pilot, "✓ Also reached: Write a text")
        await sees(pilot, "✓ 1 of 1 goal reached")
        assert "of 4 goals" not in seen(pilot)


async def test_goals_reached_before_a_lesson_embedded_the_lab_count(tmp_path: Path) -> None:
    app = app_with_the_lesson(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.progress.record(
            GoalReached(at=1.0, lab="tokens", lesson="tokens", goal="five-token-word")
        )
        app.navigator.open_lesson(LESSON)
        await sees(pilot, "l to open the lab")
        await keys(pilot, "l")
        await until(pilot, lambda: "pieces" in app.progress.lesson("tokens").labs_done)
        await keys(pilot, "escape")
        await sees(pilot, "✓ Write a text of one word that has at least 5 tokens")


async def test_goals_reached_from_the_list_count_in_the_lesson(tmp_path: Path) -> None:
    app = app_with_the_lesson(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "l")
        await sees(pilot, "Merge player")
        await keys(pilot, "down", "enter")  # the first entry is the lab of lesson 1
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await reach(pilot)
        await until(pilot, lambda: "pieces" in app.progress.lesson("tokens").labs_done)
        await keys(pilot, "escape")
        await sees(pilot, "1 of 4")


async def test_the_lesson_of_a_lab_from_the_list_is_read_in_a_thread(tmp_path: Path) -> None:
    """Parsing a lesson takes longer than a key may take."""
    course = Opening(lessons_folder()).course()
    app = whole_app(tmp_path, BackendEngine(), course)
    reading: list[str] = []
    read = type(course).lesson

    def lesson(lesson_id: str) -> Lesson | None:
        reading.append(threading.current_thread().name)
        return read(course, lesson_id)

    course.lesson = lesson  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        app.navigator.open_live_lab("tokens")
        await until(pilot, lambda: bool(reading))
        assert threading.main_thread().name not in reading
        await until(pilot, lambda: all(worker.is_finished for worker in app.workers))
        await reach(pilot)
        await sees(pilot, "✓ 1 of 4 goals reached")


async def test_the_lab_covers_the_lesson_on_a_wide_terminal(tmp_path: Path) -> None:
    app = app_with_the_lesson(tmp_path)
    async with app.run_test(size=(200, 50)) as pilot:
        app.navigator.open_lesson(LESSON)
        await sees(pilot, "l to open the lab")
        await keys(pilot, "l")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))


async def test_a_goal_reached_stays_visible_until_the_next_action(tmp_path: Path) -> None:
    app = app_with_the_lesson(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.navigator.open_live_lab("tokens")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await sees(pilot, "0 of 4 goals reached")
        await reach(pilot)
        await sees(
            pilot, "✓ 1 of 4 goals reached: Write a text of one word that has at least 5 tokens"
        )
        assert "○ Next goal: " in seen(pilot)
        await keys(pilot, "g", "g")  # these keys leave the lab as it is
        assert "✓ 1 of 4 goals reached" in seen(pilot)
        await do(pilot, "right")
        assert "✓" not in seen(pilot)
        assert "1 of 4 goals reached" in seen(pilot)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_goal_that_the_lesson_does_not_ask_for_leaves_the_task_in_place(
    size: tuple[int, int], tmp_path: Path
) -> None:
    lab = replace(PARTS, task="Find a long token.", goals=(LiveGoal("long-token"),))
    lesson = replace(LESSON, screens=(replace(LESSON.screens[0], lab=lab),))
    app = whole_app(tmp_path, BackendEngine(), Course(lessons=(lesson,)))
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Tokens")
        app.navigator.open_lab(lesson, lab)
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await sees(pilot, "Find a token of at least 12")
        rows = len(app.screen.query_one(LabTask).plain)
        await reach(pilot)
        await sees(pilot, "✓ ")
        told = " ".join(" ".join(app.screen.query_one(LabTask).plain).split())
        if size == (80, 24):
            assert told.startswith("Find a long token.")
            assert "✓ Also reached: Write a text of one word that has at least 5 tokens" in told
            assert len(app.screen.query_one(LabTask).plain) == rows
        else:  # there is only room for the goals
            assert "○ Next goal: Find a token" in told
        await do(pilot, "right")  # the next change removes the news about the goal
        assert "○ Find a token of at least 12" in seen(pilot)


async def test_the_way_back_is_named_only_while_esc_goes_there(tmp_path: Path) -> None:
    app = app_with_the_lesson(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Tokens")
        app.navigator.open_lab(LESSON, PARTS)
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await reach(pilot)
        await sees(pilot, "✓ Press Esc to go back to the lesson.")
        await do(pilot, "e")  # in the field, Esc only closes the field
        assert "Press Esc" not in seen(pilot)
        assert "✓ The task is done." in seen(pilot)
        await do(pilot, "escape")
        assert "✓ Press Esc to go back to the lesson." in seen(pilot)
        await keys(pilot, "escape")
        await until(pilot, lambda: not isinstance(app.screen, LabScreen))
