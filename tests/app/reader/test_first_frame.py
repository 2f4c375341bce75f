"""Tests that a lesson and its questions open with their text, whatever is painted when."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pyte
import pytest
from textual._compositor import CompositorUpdate, LayoutUpdate

from tests.app.pressing import event_of, settle
from tests.app.whole_app import PATIENCE, keys, sees
from tests.engine.fake_engine import FakeEngine
from tests.later import SIZES
from tests.sample_course import COURSE
from tutor.app import app
from tutor.app.app import TutorApp
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen


class Filmed(TutorApp):
    """The app, with an emulated terminal that records every frame."""

    CSS_PATH = str(Path(app.__file__).with_name("main.tcss"))

    def __init__(self, folder: Path, width: int, height: int) -> None:
        super().__init__(COURSE, Progress(folder), FakeEngine())
        self.frames: list[str] = []
        self.whole = 0
        """The number of times that the whole screen was painted."""
        self._terminal = pyte.Screen(width, height)
        self._stream = pyte.Stream(self._terminal)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if isinstance(renderable, CompositorUpdate):
            self._stream.feed(renderable.render_segments(self.console))
            self.frames.append("\n".join(self._terminal.display))
            self.whole += isinstance(renderable, LayoutUpdate)


@pytest.mark.parametrize("size", SIZES)
async def test_the_title_never_has_an_empty_page(size: tuple[int, int], tmp_path: Path) -> None:
    filmed = Filmed(tmp_path, *size)
    async with filmed.run_test(size=size) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "A language model answers")
    titled = [frame for frame in filmed.frames if "1 of 3" in frame]
    assert titled
    for frame in titled:
        assert "A language model answers" in frame


async def test_the_questions_never_open_with_an_empty_screen(tmp_path: Path) -> None:
    filmed = Filmed(tmp_path, 80, 24)
    async with filmed.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "A language model answers")
        filmed.frames.clear()
        await keys(pilot, "a")
        await sees(pilot, "Two vectors point the same way")
        await pilot.pause()
    asked = [frame for frame in filmed.frames if "1 of 3" not in frame]
    assert asked
    for frame in asked:
        assert "question 1 of" in frame
        assert "Two vectors point the same way" in frame


@pytest.mark.parametrize(
    ("key", "text"),
    [("enter", "1 of 3"), ("c", "your message"), ("l", "filter"), ("p", "remember")],
)
async def test_a_screen_that_opens_is_painted_once(key: str, text: str, tmp_path: Path) -> None:
    filmed = Filmed(tmp_path, 80, 24)
    async with filmed.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Begin")
        await settle(pilot)
        filmed.whole = 0
        filmed.post_message(event_of(key))
        async with asyncio.timeout(PATIENCE):
            while text not in filmed.frames[-1]:  # painted by the app: `settle` would do it here
                await asyncio.sleep(0.01)
        await settle(pilot)
        assert filmed.whole == 1
