"""Test that a lesson screen fits a small terminal if and only if the linter reports no problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.app.whole_app import keys, sees, until, whole_app
from tests.course.lesson_text import SINGLE, parse_lesson
from tests.later import later
from tutor.app.widgets.key_line import KeyLine
from tutor.authoring.layout import HEIGHT, screen_height
from tutor.course.catalogue import Course
from tutor.course.reading.markup import markdown

if TYPE_CHECKING:
    from pathlib import Path

FRONT = "---\nid: tall\nnumber: 1\ntitle: Tall\nsummary: As tall as can be.\n---\n"
LAB = """
```lab
id: sure
kind: stepper
task: Find a step that the model is sure of, however long that takes, and then continue from it.
prompt: Once upon a
goals:
  - goal: top-above
    probability: 0.9
```
"""
ENDS = {
    "text": "A paragraph with `code`, " + "which is a good deal longer than a line, " * 3,
    "list": "1. one\n2. " + "two runs on for much longer than one line " * 2,
    "code": "```text\na\nb\n```",
    "table": "| a | b |\n|---|---|\n| c | d |",
    "quotation": "> quoted",
    "lab": LAB,
}


def lesson_text(end: str, above: int) -> str:
    tall = "- line\n" * above + f"\n{end}\n"
    return f"{FRONT}\n## First {{#first}}\n\nText.\n\n## Tall {{#tall}}\n\n{tall}{SINGLE}"


PREDICTIONS = {  # the unit makes the question longer than a line, and the marks don't
    "unit": """
```predict
id: unit
type: number
ask: How many lines will be on this screen when you have read it?
low: 0
high: 100
answer: 3
unit: lines
reveal: A unit is shown after the question.
```
""",
    "marks": """
```predict
id: marks
type: number
ask: How many `lines` will be on this `screen` when you have `read` it?
low: 0
high: 100
answer: 3
reveal: The marks of Markdown are not shown.
```
""",
}


@pytest.mark.parametrize("height", [HEIGHT + 1, *later([HEIGHT])])
@pytest.mark.parametrize("end", PREDICTIONS)
async def test_a_revealed_prediction_has_the_computed_height(
    tmp_path: Path, end: str, height: int
) -> None:
    _, least = parse_lesson(lesson_text(PREDICTIONS[end], 1), "tall.md").screens
    text = lesson_text(PREDICTIONS[end], 1 + height - screen_height(least, markdown()))
    app = whole_app(tmp_path, course=Course((parse_lesson(text, "tall.md"),)))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "enter")
        await sees(pilot, "Text.")
        await keys(pilot, "right")
        await sees(pilot, "2 of 2")
        await until(pilot, lambda: bool(app.screen.query("PredictionField")))
        await keys(pilot, "enter")
        await until(pilot, lambda: not app.screen.query("PredictionField"))
        await pilot.pause()
        assert (app.screen.query_one("#reading").max_scroll_y > 0) == (height > HEIGHT)


@pytest.mark.parametrize("height", [HEIGHT + 1, *later([HEIGHT])])
@pytest.mark.parametrize("end", [*list(ENDS)[:2], *later(list(ENDS)[2:])])
async def test_the_computed_height_is_the_real_one(tmp_path: Path, end: str, height: int) -> None:
    _, least = parse_lesson(lesson_text(ENDS[end], 1), "tall.md").screens
    text = lesson_text(ENDS[end], 1 + height - screen_height(least, markdown()))
    lesson = parse_lesson(text, "tall.md")
    assert screen_height(lesson.screens[1], markdown()) == height
    app = whole_app(tmp_path, course=Course((lesson,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Fake-1K ●")
        await keys(pilot, "enter")
        await sees(pilot, "Text.")
        await keys(pilot, "right")
        await sees(pilot, "2 of 2")
        await until(pilot, lambda: app.screen.query_one(KeyLine).size.height > 0)
        await pilot.pause()
        assert (app.screen.query_one("#reading").max_scroll_y > 0) == (height > HEIGHT)
