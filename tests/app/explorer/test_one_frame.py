"""Test that the screen never mixes the states of two tokens, whatever is painted when."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pyte
from textual import constants
from textual._compositor import CompositorUpdate

from tests.app.explorer.explorer_stage import Stage, settled
from tests.app.pressing import event_of, settle
from tests.engine.fake_engine import FakeEngine
from tutor.app.explorer.screen import ExplorerScreen

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType
    from textual.screen import Screen

WIDTH, HEIGHT = 80, 24
LAST = re.compile(r"^ *last (?P<token>\S+) +(?P<bits>[\d.]+) bits")
DRAWN = re.compile(r"^ *›?◆ *\d+ +(?P<token>\S+)", re.MULTILINE)


class SlowEngine(FakeEngine):
    """An engine slow enough for the screen to be painted between two tokens."""

    async def work(self, name: str) -> None:
        await asyncio.sleep(2 / constants.MAX_FPS)
        await super().work(name)


class Terminal(Stage):
    """An app whose updates are also sent to an emulated terminal, which records every frame."""

    frames: tuple[str, ...] = ()

    def __init__(self, folder: Path, engine: FakeEngine | None = None) -> None:
        super().__init__(ExplorerScreen, folder=folder, engine=engine)
        self._terminal = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self._terminal)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if isinstance(renderable, CompositorUpdate):
            self._stream.feed(renderable.render_segments(self.console))
            self.frames += ("\n".join(self._terminal.display),)


def assert_one_token(frame: str) -> None:
    """Fail if the last token of the text, the heading and the mark disagree."""
    last = next(filter(None, map(LAST.match, frame.splitlines())), None)
    if last is None or "running" not in frame:
        return
    assert "last token drawn" in frame, frame
    drawn = DRAWN.search(frame)
    if drawn is not None:  # the row of an improbable token is not visible
        assert drawn["token"] == last["token"], frame


async def test_each_frame_of_a_run_shows_one_token(tmp_path: Path) -> None:
    app = Terminal(tmp_path, SlowEngine())
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await settled(pilot)
        app.post_message(event_of("r"))
        await settled(pilot)
    running = [frame for frame in app.frames if "running" in frame]
    assert len(running) > 2
    for frame in running:
        assert_one_token(frame)


async def test_the_heading_describes_the_rows_below_it_while_a_step_is_computed(
    tmp_path: Path,
) -> None:
    app = Terminal(tmp_path)
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await settled(pilot)
        rows = _rows(app)
        app.fake.hold()
        await _press(pilot, "enter")
        assert _rows(app) == rows
        assert "last token drawn" in app.frames[-1]
        await _press(pilot, "u")
        app.fake.release()
        await settled(pilot)
        assert "next token  entropy" in app.frames[-1]
        assert _rows(app) == rows


async def test_rows_of_another_text_have_no_mark(tmp_path: Path) -> None:
    app = Terminal(tmp_path)
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await settled(pilot)
        await _press(pilot, "1")
        await settled(pilot)
        app.fake.hold()
        await _press(pilot, "u")
        assert "previous rows" in app.frames[-1]
        assert "◆" not in app.frames[-1]
        app.fake.release()
        await settled(pilot)
        assert "previous rows" not in app.frames[-1]


async def _press(pilot: Any, key: str) -> None:
    pilot.app.post_message(event_of(key))
    await settle(pilot)


def _rows(app: Terminal) -> list[str]:
    return [
        line[4:] for line in app.frames[-1].splitlines() if re.match(r"^ *[›◆ ]* +\d+ +\S", line)
    ]
