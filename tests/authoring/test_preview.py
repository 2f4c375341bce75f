"""Test that a lesson in the preview is reloaded when it is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until
from tests.course.lesson_text import SMALL
from tests.engine.fake_engine import FakeEngine
from tutor.app.reader.lesson import LessonScreen
from tutor.authoring.preview import PreviewApp
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


TWO = SMALL + "\n## Second screen {#second}\n\nThe other one.\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "07-small.md"
    file.write_text(TWO)
    return file


def preview(file: Path, engine: FakeEngine | None = None) -> PreviewApp:
    engine = engine or FakeEngine()
    progress = Progress.open(file.parent / "progress")
    return PreviewApp(file, progress, engine, model_missing=lambda: False)


def save(file: Path, text: str) -> None:
    """Save as editors do: a new file replaces the old one."""
    other = file.with_suffix(".tmp")
    other.write_text(text)
    other.replace(file)


async def at_second(pilot: Pilot[Any]) -> None:
    await sees(pilot, "Some text.")
    await keys(pilot, "enter")
    await sees(pilot, "The other one.")


async def test_a_saved_lesson_is_shown_at_the_same_screen(file: Path) -> None:
    app = preview(file)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_second(pilot)
        save(file, TWO.replace("The other one.", "Better words."))
        await sees(pilot, "Better words.")
        assert "Second screen" in shown(app)


async def test_an_error_is_shown_with_its_line_until_it_is_corrected(file: Path) -> None:
    app = preview(file)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_second(pilot)
        save(file, TWO.replace("hint:", "hunt:"))
        await sees(pilot, "'hunt'")
        line = TWO[: TWO.index("hint:")].count("\n") + 1
        assert f"line {line}" in shown(app)
        file.write_bytes(b"\xff")
        await sees(pilot, "UTF-8")
        file.unlink()
        await sees(pilot, "cannot be read")
        save(file, TWO)
        await sees(pilot, "The other one.")


async def test_an_invalid_file_can_be_opened(file: Path) -> None:
    file.write_text("nothing")
    app = preview(file)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "front matter")
        save(file, TWO)
        await sees(pilot, "Some text.")


async def test_an_open_lab_is_not_closed(file: Path) -> None:
    app = preview(file)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Some text.")
        await keys(pilot, "l")
        await until(pilot, lambda: not isinstance(app.screen, LessonScreen))
        save(file, TWO.replace("Some *text*.", "Other words."))
        await until(pilot, lambda: app._waiting)
        assert not isinstance(app.screen, LessonScreen)
        await keys(pilot, "escape")
        await sees(pilot, "Other words.")


async def test_a_warning_is_shown_with_the_lesson(file: Path) -> None:
    file.write_text(TWO.replace("hint: Not the other.", "hint: So it is."))
    app = preview(file)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "contains the same text twice")
        await sees(pilot, "Some text.")
