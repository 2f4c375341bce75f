"""Test reading a long text: what is hidden below is announced and never skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec
import pytest

from tests.app.explorer.explorer_stage import lines, shown
from tests.app.pressing import settle
from tests.app.whole_app import keys, sees, until, whole_app
from tests.later import NORMAL_AND_SMALL
from tests.sample_course import LESSON
from tutor.app.quiz.answers import Choices
from tutor.app.widgets.more_below import MoreBelow
from tutor.course.catalogue import Course
from tutor.course.lesson import Screen
from tutor.course.prediction import ChoicePrediction

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.base_screen import TutorScreen

LONG = "\n\n".join(f"Paragraph {number}." for number in range(30))
COURSE = Course(
    lessons=(
        msgspec.structs.replace(
            LESSON,
            screens=(
                Screen(id="question", title="Long", body=LONG),
                Screen(id="distribution", title="Short", body="A short text."),
            ),
        ),
    )
)


@pytest.mark.parametrize("key", ["space", "pagedown", "enter"])
@pytest.mark.parametrize("size", NORMAL_AND_SMALL)
async def test_paging_reaches_the_end_before_it_goes_on(
    tmp_path: Path, key: str, size: tuple[int, int]
) -> None:
    app = whole_app(tmp_path, course=COURSE)
    async with app.run_test(size=size) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "Paragraph 0.")
        await sees(pilot, "more lines below")
        await sees(pilot, "enter more")
        read = ""
        for _ in range(12):
            read += shown(app)
            if not app.screen.query_one(MoreBelow).hidden:
                break
            await keys(pilot, key)
        assert all(f"Paragraph {number}." in read for number in range(30))
        await sees(pilot, "enter next")
        assert "more lines below" not in shown(app)
        await keys(pilot, "pageup")
        await sees(pilot, "below")
        await keys(pilot, "pagedown", "enter")
        await sees(pilot, "A short text.")
        await until(pilot, lambda: "below" not in shown(app))


@pytest.mark.parametrize("opened", [("enter",), ("question_mark",)], ids=["lesson", "help"])
async def test_home_and_end_go_to_the_beginning_and_the_end(
    tmp_path: Path, opened: tuple[str, ...]
) -> None:
    app = whole_app(tmp_path, course=COURSE)
    async with app.run_test(size=(80, 12)) as pilot:
        await keys(pilot, *opened)
        await sees(pilot, "more lines below")
        scrolled = app.screen.query_one(cast("TutorScreen", app.screen).SCROLLED)
        await keys(pilot, "end")
        await until(pilot, lambda: scrolled.scroll_offset.y == scrolled.max_scroll_y > 0)
        await keys(pilot, "home")
        await until(pilot, lambda: scrolled.scroll_offset.y == 0)


DRAWING = "```text\n" + "begin " + "-" * 50 + " end\n```"


async def test_lines_that_are_too_long_are_announced_and_can_be_read(tmp_path: Path) -> None:
    screens = (Screen(id="question", title="Wide", body=DRAWING),)
    course = Course(lessons=(msgspec.structs.replace(LESSON, screens=screens),))
    app = whole_app(tmp_path, course=course)
    async with app.run_test(size=(40, 12)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "begin -")
        await sees(pilot, "columns to the right  >")
        await sees(pilot, "<> wide lines")
        assert " end" not in shown(app)
        await keys(pilot, "greater_than_sign")
        await sees(pilot, "  <   ▶ ")
        await keys(pilot, "greater_than_sign")
        await sees(pilot, "- end")
        await sees(pilot, "columns to the left  <")
        assert "to the right" not in shown(app)
        await keys(pilot, "less_than_sign", "less_than_sign")
        await sees(pilot, "begin -")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "to the right" not in shown(app))
        assert "wide lines" not in shown(app)
        assert "begin" in shown(app)
        assert " end" in shown(app)


@pytest.mark.parametrize("body", [DRAWING, "This line is wrapped. " * 55], ids=["wide", "long"])
async def test_the_key_line_follows_the_size_of_the_terminal(tmp_path: Path, body: str) -> None:
    """Guard against keys that a resize adds while the layout is unfinished."""
    screens = (Screen(id="question", title="Fits", body=body),)
    course = Course(lessons=(msgspec.structs.replace(LESSON, screens=screens),))
    app = whole_app(tmp_path, course=course)
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "Fits")
        for size in [(120, 40), (80, 24)] * 3:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            await until(pilot, lambda: len(lines(app)) == app.screen.size.height)
            await until(pilot, lambda: not {"wide", "scroll"} & set(lines(app)[-1].split()))


async def test_a_prediction_below_the_edge_is_not_skipped(tmp_path: Path) -> None:
    asked = ChoicePrediction(
        id="which", ask="Which one?", choices=("One", "Two"), right=2, reveal="So it is."
    )
    screens = (Screen(id="question", title="Long", body=LONG, prediction=asked),)
    lesson = msgspec.structs.replace(LESSON, screens=screens)
    app = whole_app(tmp_path, course=Course(lessons=(lesson,)))
    async with app.run_test(size=(40, 12)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "Paragraph 0.")
        while app.screen.query_one(MoreBelow).hidden:
            await keys(pilot, "enter")
        await sees(pilot, "b  Two")
        assert "So it is." not in shown(app)
        await keys(pilot, "b", "enter")
        await sees(pilot, "So it is.")


async def test_a_long_explanation_is_read_before_the_next_question(tmp_path: Path) -> None:
    first = LESSON.questions[0]
    long = msgspec.structs.replace(first, why="A long explanation. " * 40 + "It ends here.")
    lesson = msgspec.structs.replace(LESSON, questions=(long, LESSON.questions[2]))
    app = whole_app(tmp_path, course=Course(lessons=(lesson,)))
    async with app.run_test(size=(40, 12)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of 2")
        await keys(pilot, "a", "enter")
        await sees(pilot, "more lines below")
        while app.screen.query_one(MoreBelow).hidden:
            assert "question 1 of 2" in shown(app)
            await keys(pilot, "enter")
        await sees(pilot, "It ends here.")
        await sees(pilot, "above  pgup")
        above = app.screen.query_one(MoreBelow).above
        assert f"▲ {above} lines above  pgup" in shown(app)
        await keys(pilot, "pageup")
        await sees(pilot, "▼")
        assert app.screen.query_one(MoreBelow).above < above
        await keys(pilot, "pagedown", "enter")
        await sees(pilot, "question 2 of 2")


async def test_the_page_keys_move_the_text_and_not_the_chosen_answer(tmp_path: Path) -> None:
    long = msgspec.structs.replace(LESSON.questions[0], ask="A long question. " * 30)
    lesson = msgspec.structs.replace(LESSON, questions=(long,))
    app = whole_app(tmp_path, course=Course(lessons=(lesson,)))
    async with app.run_test(size=(40, 12)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "more lines below")
        await keys(pilot, "pagedown")
        await sees(pilot, "pgup")
        assert app.screen.query_one(Choices).cursor == -1
        await keys(pilot, "c", "pageup", "pageup", "pageup")
        assert app.screen.query_one(Choices).cursor == 2
        assert app.screen.query_one(MoreBelow).above == 0


async def test_the_mark_names_the_key_that_pages_down(tmp_path: Path) -> None:
    """Space ticks a choice, so another key pages down there."""
    long = msgspec.structs.replace(LESSON.questions[1], ask="A long question. " * 30)
    lesson = msgspec.structs.replace(LESSON, questions=(long,))
    app = whole_app(tmp_path, course=Course(lessons=(lesson,)))
    async with app.run_test(size=(40, 12)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "below  pgdn")
        await keys(pilot, "pagedown", "pagedown", "pagedown")
        await sees(pilot, "[ ] c")
