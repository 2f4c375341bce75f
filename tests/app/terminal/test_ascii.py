"""Test that only ASCII is sent to a terminal that supports only ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.app.explorer.explorer_stage import lines, shown
from tests.app.whole_app import keys, sees, whole_app
from tests.sample_course import LESSON
from tutor.course.catalogue import Course, load_course
from tutor.course.lesson import Screen

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.parametrize(
    ("size", "lessons"),
    [
        ((40, 12), 1),
        pytest.param((40, 12), None, marks=pytest.mark.slow),
        pytest.param((80, 24), None, marks=pytest.mark.slow),
    ],
)
async def test_every_screen_of_a_lesson_is_ascii(
    tmp_path: Path, size: tuple[int, int], lessons: int | None
) -> None:
    """Page through lessons, and look at the first question of each."""
    course = load_course()
    app = whole_app(tmp_path, course=course, ascii_only=True)
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Begin")
        for lesson in course.lessons[:lessons]:
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
