"""Test the goals of a lab in the stepper: which one is next, and what has been reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.events import Key

from tests.app.explorer.explorer_stage import settled, shown
from tests.app.pressing import tap
from tests.app.whole_app import sees, until, whole_app
from tests.engine.fake_engine import CARD, FakeEngine
from tutor.app.explorer.chat.editor import LATE
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.widgets.lab_card import LabTask
from tutor.course.catalogue import Course
from tutor.course.lesson import Branched, Lab, Lesson, Screen, TookRankAtLeast

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

LAB = Lab(
    id="fork",
    kind="stepper",
    task="Take other tokens than the model would, and fork the text.",
    prompt="The capital of France is",
    goals=(TookRankAtLeast(2), Branched(2, 1)),
    done="Every token was a choice.",
)
LESSON = Lesson(
    id="steps",
    number=1,
    version=1,
    title="Steps",
    summary="One token at a time.",
    screens=(Screen(id="one", title="Force *a* token", body="A token is chosen.", lab=LAB),),
    questions=(),
)
RANK = "Choose a token of rank 2 or worse by hand"
FORK = "Create 2 branches"


def goals(pilot: Pilot[Any]) -> str:
    return " ".join("\n".join(pilot.app.screen.query_one(LabTask).plain).split())


async def open_lab(pilot: Pilot[Any], lesson: Lesson = LESSON, lab: Lab = LAB) -> None:
    await sees(pilot, "Steps")
    pilot.app.navigator.open_lab(lesson, lab)  # type: ignore[attr-defined]
    await until(pilot, lambda: isinstance(pilot.app.screen, ExplorerScreen))
    await settled(pilot)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_the_lab_is_named_after_its_lesson_screen(
    size: tuple[int, int], tmp_path: Path
) -> None:
    app = whole_app(tmp_path, course=Course(lessons=(LESSON,)))
    async with app.run_test(size=size) as pilot:
        await open_lab(pilot)
        await sees(pilot, "lab · Force a token")


async def test_what_a_lesson_says_beside_its_done_lab_has_no_markdown(tmp_path: Path) -> None:
    lab = msgspec.structs.replace(LAB, goals=(TookRankAtLeast(2),), done="You *chose* `a` token.")
    page = Screen(id="one", title="One", body="A token is chosen.", lab=lab)
    lesson = msgspec.structs.replace(LESSON, screens=(page,))
    app = whole_app(tmp_path, course=Course(lessons=(lesson,)))
    async with app.run_test(size=(130, 40)) as pilot:
        await sees(pilot, "Steps")
        app.navigator.open_lesson(lesson)
        await sees(pilot, "next token")
        await tap(pilot, "l", "2")
        # The message is on the lab's card and in the lab.
        await until(pilot, lambda: shown(app).count("You chose a token.") == 2)


async def test_a_goal_reached_stays_until_the_next_key_that_changes_something(
    tmp_path: Path,
) -> None:
    app = whole_app(tmp_path, course=Course(lessons=(LESSON,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_lab(pilot)
        assert LAB.task in goals(pilot)
        assert f"○ {RANK} 0 of 2 goals reached" in goals(pilot)
        await tap(pilot, "2")
        await until(pilot, lambda: "✓" in goals(pilot))
        await settled(pilot)
        reached = f"✓ 1 of 2 goals reached: {RANK} ○ Next goal: {FORK}"
        assert goals(pilot) == reached
        await tap(pilot, "t", "escape", "0")  # these keys change nothing
        await settled(pilot)
        assert goals(pilot) == reached
        await tap(pilot, "enter")
        await settled(pilot)
        assert goals(pilot) == f"{LAB.task} ○ {FORK} 1 of 2 goals reached"


async def test_a_long_task_stays_below_a_goal_just_reached(tmp_path: Path) -> None:
    lab = msgspec.structs.replace(LAB, task="Take the second row. " * 8)
    page = Screen(id="one", title="One", body="A token is chosen.", lab=lab)
    lesson = msgspec.structs.replace(LESSON, screens=(page,))
    app = whole_app(tmp_path, course=Course(lessons=(lesson,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_lab(pilot, lesson, lab)
        rows = len(pilot.app.screen.query_one(LabTask).plain)
        await tap(pilot, "2")
        await until(pilot, lambda: "✓" in goals(pilot))
        await settled(pilot)
        assert f"○ Next goal: {FORK} Take the second row." in goals(pilot)
        assert len(pilot.app.screen.query_one(LabTask).plain) == rows


async def test_the_last_goal_says_that_all_are_reached(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=Course(lessons=(LESSON,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_lab(pilot)
        await tap(pilot, "2")
        await settled(pilot)
        await tap(pilot, "left", "3")
        await sees(pilot, "✓ All goals are reached.")
        await sees(pilot, LAB.done)
        assert LAB.task not in goals(pilot)
        assert f"✓ 2 of 2 goals reached: {FORK}" in goals(pilot)
        await tap(pilot, "enter")
        await settled(pilot)
        assert goals(pilot) == f"{LAB.done} ✓ 2 of 2 goals reached."


async def test_g_shows_the_task_and_all_goals(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=Course(lessons=(LESSON,)))
    async with app.run_test(size=(40, 12)) as pilot:
        await open_lab(pilot)
        assert goals(pilot) == "○ Choose a token of rank 2 or worse b…"
        await tap(pilot, "g")
        assert LAB.task in goals(pilot)
        assert FORK in goals(pilot)
        await tap(pilot, "escape")
        assert FORK not in goals(pilot)
        assert isinstance(app.screen, ExplorerScreen)


async def test_the_way_back_is_named_only_while_esc_goes_there(tmp_path: Path) -> None:
    goal = Branched(2, 1)
    lab = msgspec.structs.replace(LAB, kind="chat", prompt="Hello", goals=(goal,))
    page = Screen(id="one", title="One", body="A token is chosen.", lab=lab)
    lesson = msgspec.structs.replace(LESSON, screens=(page,))
    endless = FakeEngine(card=msgspec.structs.replace(CARD, end_ids=()))
    app = whole_app(tmp_path, endless, Course(lessons=(lesson,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Steps")
        endless.hold(at="distribution", after=4)
        app.navigator.open_lab(lesson, lab)
        await sees(pilot, "esc stop it")
        await tap(pilot, "escape", "escape")
        endless.release()
        await sees(pilot, "s another answer")
        endless.hold(at="distribution", after=4)
        await pilot.press("s")
        await until(pilot, lambda: "All goals are reached." in goals(pilot))
        await sees(pilot, "esc stop it")
        assert "Press Esc" not in goals(pilot)
        await pilot.press("escape")
        endless.release()
        await sees(pilot, "esc back")
        await until(pilot, lambda: "Press Esc to go back." in goals(pilot))
        await pilot.press("enter")
        await sees(pilot, "esc leave field")
        assert "Press Esc" not in goals(pilot)
        await pilot.press("escape")
        await sees(pilot, "esc back")
        pressed = Key("escape", None)
        pressed.time += 2 * LATE  # sooner, it would be meant for the answer
        app.post_message(pressed)
        await until(pilot, lambda: not isinstance(app.screen, ExplorerScreen))
