"""Test the lines about the task and the goals of a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from tests.app.pressing import settle
from tutor.app.widgets.lab_card import GoalLine, LabTask

if TYPE_CHECKING:
    from textual.app import ComposeResult

GOALS = (GoalLine("asked", "Find a word"), GoalLine("other", "Find a number"))


class Card(App[None]):
    def compose(self) -> ComposeResult:
        yield LabTask("Find a word.", GOALS, own=("asked",))


async def test_a_goal_that_the_lesson_does_not_ask_for_is_not_among_those_counted() -> None:
    app = Card()
    async with app.run_test(size=(80, 24)) as pilot:
        task = app.query_one(LabTask)
        task.show_goals({"asked", "other"}, news=("asked", "other"))
        await settle(pilot)
        said = " ".join(" ".join(task.plain).split())
        assert "✓ 1 of 1 goal reached: Find a word Also reached: Find a number" in said
