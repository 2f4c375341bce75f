"""Test that a learner who looks something up continues where they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, whole_app
from tests.sample_course import LESSON
from tutor.course.catalogue import Course
from tutor.course.lesson import Screen
from tutor.course.prediction import NumberPrediction
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

PREDICTION = NumberPrediction(
    id="legs", ask="How many legs has a zebra?", reveal="Count them.", low=0, high=9, answer=4
)
OTHER = msgspec.structs.replace(
    LESSON,
    id="other",
    number=3,
    title="The other lesson",
    screens=(
        Screen(id="lion", title="A lion", body="It roars."),
        Screen(id="zebra", title="A zebra", body="It is striped.", prediction=PREDICTION),
        Screen(id="gnu", title="A gnu", body="It runs."),
    ),
)
COURSE = Course(lessons=(LESSON, OTHER))
FIRST_ROW = "› Continue   2 One question, asked again and again · screen 2 of 3"


async def read_until_the_second_screen(pilot: Pilot[Any]) -> None:
    await sees(pilot, "› Begin      2 One question")
    await keys(pilot, "enter")
    await sees(pilot, "1 of 3")
    await keys(pilot, "right")
    await sees(pilot, "2 of 3")
    await keys(pilot, "escape")
    await sees(pilot, FIRST_ROW)


async def find(pilot: Pilot[Any], words: str, title: str) -> None:
    await keys(pilot, "slash", *words)
    await sees(pilot, f"› {title}")
    await keys(pilot, "enter")


async def test_a_look_at_a_search_hit_does_not_move_the_place(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await read_until_the_second_screen(pilot)
        await find(pilot, "roars", "A lion")
        await sees(pilot, "3 The other lesson · 1 of 3")
        await keys(pilot, "escape", "escape")
        await sees(pilot, FIRST_ROW)
        (row,) = [line for line in shown(pilot.app).splitlines() if " 3  The other" in line]
        assert "screen" not in row
        await find(pilot, "numbers", "The question")
        await sees(pilot, "again and again · 1 of 3")
        await keys(pilot, "escape", "escape")
        await sees(pilot, FIRST_ROW)
    assert "other" not in Progress.open(tmp_path).lessons()


async def test_the_place_moves_when_the_learner_reads_on(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await read_until_the_second_screen(pilot)
        await find(pilot, "roars", "A lion")
        await sees(pilot, "3 The other lesson · 1 of 3")
        await keys(pilot, "right")
        await sees(pilot, "3 The other lesson · 2 of 3")
        await keys(pilot, "escape", "escape")
        await sees(pilot, "› Continue   3 The other lesson · screen 2 of 3")
    assert Progress.open(tmp_path).lesson("other").seen == ("lion", "zebra")


async def test_the_place_moves_when_the_learner_predicts(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await read_until_the_second_screen(pilot)
        await find(pilot, "striped", "A zebra")
        await sees(pilot, "How many legs has a zebra?")
        await keys(pilot, "5", "enter")
        await sees(pilot, "Count them.")
        await keys(pilot, "escape", "escape")
        await sees(pilot, "› Continue   3 The other lesson · screen 2 of 3")


async def test_the_place_moves_when_the_learner_answers_questions(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=(80, 24)) as pilot:
        await read_until_the_second_screen(pilot)
        await find(pilot, "roars", "A lion")
        await sees(pilot, "3 The other lesson · 1 of 3")
        await keys(pilot, "a")
        await sees(pilot, "question 1 of 6")
        await keys(pilot, "s")
        await sees(pilot, "question 2 of 6")
        await keys(pilot, "escape", "escape", "escape")
        await sees(pilot, "› Continue   3 The other lesson · 6 questions left")
