"""Test that only ASCII is sent to a terminal that supports only ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.app.explorer.explorer_stage import lines, shown
from tests.app.pressing import settle
from tests.app.whole_app import keys, sees, until, whole_app
from tests.sample_course import LESSON
from tutor.app.base_screen import TutorScreen
from tutor.app.widgets.prose import Prose
from tutor.course.catalogue import Course, load_course
from tutor.course.lesson import Lesson, Screen

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

    from tutor.app.app import TutorApp

ROWS = 800
"""The rows of a terminal that shows a whole lesson at once."""

DIAGRAM = """\
| a | b |
|---|---|
| “é” | − π 中 |

> ½ … ␣Paris

- • ◦

```text
┌─────┐     ╔═╗
│ 中文 │──►──║ ║ ███▌░ ▁▂▃▄▅▆▇█
└─────┘     ╚═╝
```
"""


async def test_a_diagram_keeps_its_shape(tmp_path: Path) -> None:
    screen = Screen(id="diagram", title="Naïve → “ok”", body=DIAGRAM)
    lesson = msgspec.structs.replace(LESSON, screens=(screen,))
    app = whole_app(tmp_path, course=Course(lessons=(lesson,)), ascii_only=True)
    async with app.run_test(size=(80, 30)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "+-----+     +=+")
        await sees(pilot, "| ???? |-->--| | ####: _.:-=+*#")
        assert 'Naive > "ok"' in shown(app)
        assert shown(app).isascii()


class WholeLesson(TutorScreen):
    """A screen with all screens of a lesson, one below the other."""

    def __init__(self, lesson: Lesson) -> None:
        super().__init__()
        self._text = "\n\n".join(f"## {each.title}\n\n{each.body}" for each in lesson.screens)

    def compose_content(self) -> ComposeResult:
        yield Prose(id="text")

    def on_mount(self) -> None:
        self.call_after_refresh(self._show)

    async def _show(self) -> None:
        with self.app.batch_update():
            await self.query_one(Prose).show(self._text)


def prose_height(app: TutorApp) -> int:
    return sum(each.size.height for each in app.screen.query(Prose))


async def test_every_text_of_every_lesson_is_ascii(tmp_path: Path) -> None:
    course = load_course()
    app = whole_app(tmp_path, course=course, ascii_only=True)
    async with app.run_test(size=(80, ROWS)) as pilot:
        await sees(pilot, "Begin")
        for lesson in course.lessons:
            app.push_screen(WholeLesson(lesson))
            await until(pilot, lambda: prose_height(app) > 0)
            await settle(pilot)
            assert 100 < prose_height(app) < ROWS - 5  # the whole lesson is on the screen
            not_ascii = [line for line in lines(app) if not line.isascii()]
            assert not_ascii == []
            app.pop_screen()


async def test_every_lesson_and_its_questions_are_ascii(tmp_path: Path) -> None:
    course = load_course()
    app = whole_app(tmp_path, course=course, ascii_only=True)
    async with app.run_test(size=(40, 12)) as pilot:
        await sees(pilot, "Begin")
        assert shown(app).isascii()
        for lesson in course.lessons:
            app.navigator.open_lesson(lesson, lesson.screens[-1].id)
            await sees(pilot, f"{len(lesson.screens)} of {len(lesson.screens)}")
            await sees(pilot, lesson.screens[-1].title[:10])
            assert shown(app).isascii()
            await keys(pilot, "right")
            await sees(pilot, "question 1 of")
            assert shown(app).isascii()
            await keys(pilot, "escape", "escape")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_every_screen_of_every_lesson_is_ascii(tmp_path: Path, size: tuple[int, int]) -> None:
    """Page through every lesson in two sizes, with everything around the text."""
    course = load_course()
    app = whole_app(tmp_path, course=course, ascii_only=True)
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Begin")
        for lesson in course.lessons:
            app.navigator.open_lesson(lesson, lesson.screens[0].id)
            for number, screen in enumerate(lesson.screens, start=1):
                await sees(pilot, f"{number} of {len(lesson.screens)}")
                await sees(pilot, screen.title[:10])
                not_ascii = [line for line in lines(app) if not line.isascii()]
                assert not_ascii == []
                await keys(pilot, "right")
            await sees(pilot, "question 1 of")
            assert shown(app).isascii()
            await keys(pilot, "escape", "escape")
