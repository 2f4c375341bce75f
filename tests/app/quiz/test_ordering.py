"""Test putting items in order with the keyboard: nothing is graded by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.sample_course import LESSON
from tutor.app.quiz.answers import Ordering
from tutor.course.catalogue import Course
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.app import TutorApp

SIZE = (80, 24)
LOOP = LESSON.question("loop")
COURSE = Course(lessons=(msgspec.structs.replace(LESSON, questions=(LOOP,)),))


def items(app: TutorApp) -> list[str]:
    """Return the lines of the list, from the first on."""
    return [line for line in shown(app).splitlines() if line[3:4].isdigit()]


async def test_enter_on_an_untouched_order_asks_first(tmp_path: Path) -> None:
    async with whole_app(tmp_path, course=COURSE).run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "Press Space to pick up an item")
        await keys(pilot, "down", "enter")
        await sees(pilot, "Press Enter again to submit this order.")
        assert not Progress.open(tmp_path).cards()
        await keys(pilot, "enter")
        await sees(pilot, "Not yet:")
    assert Progress.open(tmp_path).cards()["loop"].answers == 1


async def test_an_item_moves_in_the_direction_of_the_arrow(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=COURSE)
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "› 1")
        before = items(app)
        await keys(pilot, "space", "down")
        await sees(pilot, "↕ 2")
        assert items(app)[1][6:] == before[0][6:]
        await keys(pilot, "enter")  # puts the item down
        await sees(pilot, "› 2")
        assert not Progress.open(tmp_path).cards()
        await keys(pilot, "up")  # chooses again
        await sees(pilot, "› 1")
        assert items(app)[1][6:] == before[0][6:]
        await keys(pilot, "down", "space", "up", "space", "enter")
        await sees(pilot, "Not yet:")


async def test_home_and_end_move_the_item_that_is_picked_up(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=COURSE)
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "› 1")
        first, *others = [line[6:] for line in items(app)]
        await keys(pilot, "space", "end")
        assert [line[6:] for line in items(app)] == [*others, first]
        await keys(pilot, "home", "space", "end")
        assert [line[6:] for line in items(app)] == [first, *others]
        await sees(pilot, f"› {len(others) + 1}")


async def test_the_verdict_says_where_each_item_belongs_once(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=COURSE)
    async with app.run_test(size=SIZE) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "› 1")
        order = list(app.screen.query_one(Ordering)._order)
        await keys(pilot, "enter", "enter")
        await until(pilot, lambda: "Not yet:" in shown(app))
        for place, item in enumerate(order):
            belongs = f"{place + 1}  {LOOP.items[item]}"  # type: ignore[union-attr]
            assert belongs in shown(app)
            if item != place:
                assert f"Belongs in position {item + 1}." in shown(app)
        assert "Position" not in shown(app)
