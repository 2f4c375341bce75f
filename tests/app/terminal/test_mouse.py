"""Tests the mouse: when it is on, what it may send, and what a click does."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.events import Key, MouseDown, MouseEvent, MouseScrollDown, MouseUp
from textual.geometry import Offset

from tests.app.explorer.explorer_stage import lines, shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.terminal import Terminal
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.help import HelpScreen
from tutor.app.home.screen import HomeScreen
from tutor.app.terminal.input import MouseParser
from tutor.app.terminal.mouse import VARIABLE, mouse_wanted
from tutor.app.widgets.key_line import Entry, key_at
from tutor.app.widgets.menu import Menu

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tutor.app.app import TutorApp
    from tutor.settings.schema import Switch

REPORTS = re.compile(rb"\x1b\[\?(?:9|100[0-35-6]|101[56])h")


async def click(pilot: Pilot[None], app: TutorApp, text: str, nth: int = 0) -> None:
    """Click the beginning of a text on the screen, and wait until the app has handled it."""
    found = [Offset(line.index(text), y) for y, line in enumerate(lines(app)) if text in line]
    await pilot.click(offset=found[nth])


@pytest.mark.parametrize(
    ("setting", "environment", "wanted"),
    [
        ("auto", {}, True),
        ("auto", {"SSH_TTY": "/dev/pts/1"}, False),
        ("auto", {"SSH_CONNECTION": "1 2 3 4"}, False),
        ("auto", {"TUTOR_LOW_BANDWIDTH": "1"}, False),
        ("on", {"SSH_TTY": "/dev/pts/1"}, True),
        ("off", {}, False),
        ("off", {VARIABLE: "on"}, True),
        ("on", {VARIABLE: "off"}, False),
    ],
)
def test_the_mouse_is_off_over_ssh(
    setting: Switch, environment: dict[str, str], wanted: bool
) -> None:
    assert mouse_wanted(setting, environment) is wanted


def test_the_parser_takes_clicks_but_no_sizes() -> None:
    sent = f"a\x1b[<0;3;4M\x1b[<0;3;4m\x1b[48;9;9;1;1t\x1b[<0;{'9' * 15};1Mb"
    events = list(MouseParser().feed(sent))
    assert [event.key for event in events if isinstance(event, Key)] == ["a", "b"]
    clicks = [event for event in events if isinstance(event, MouseEvent)]
    assert [type(each) for each in clicks] == [MouseDown, MouseUp]
    assert [(each.x, each.y) for each in clicks] == [(2, 3)] * 2


def test_a_column_of_the_key_line_is_a_key() -> None:
    entries = [
        Entry("↑↓", "row", 0, press="up"),
        Entry("enter", "o", 1, press="enter"),
        Entry("p/n", "to", 1, press="p"),
        Entry("1-9", "go", 1, press="1"),
    ]
    line = "↑↓ row │ enter o  p/n to  1-9 go"
    columns = {"↑": "up", "↓": "down", "row": "up", "│": "", "enter": "enter"}
    columns |= {"p/": "p", "n to": "n", "to": "p", "1-": "1", "9": "9"}
    assert {text: key_at(entries, line.index(text)) for text in columns} == columns
    assert key_at(entries, len(line)) == ""


async def test_a_click_on_the_key_line_presses_the_key(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await click(pilot, app, "? 1 more")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await click(pilot, app, "esc back")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_a_click_selects_a_row_and_a_second_one_opens_it(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        menu = app.screen.query_one(Menu)
        before = menu.cursor
        await click(pilot, app, "Stepper")
        assert menu.cursor > before
        assert isinstance(app.screen, HomeScreen)
        await click(pilot, app, "Stepper")
        await sees(pilot, "seed 2")


async def test_a_click_ticks_a_choice_but_never_answers(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of")
        await click(pilot, app, "b  ")
        await click(pilot, app, "b  ")
        await until(pilot, lambda: any(line.startswith(" › b") for line in lines(app)))
        assert "saved" not in shown(app)
        await keys(pilot, "enter")
        await sees(pilot, "saved")


async def test_a_click_focuses_a_token_and_a_row(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "s")
        await sees(pilot, "seed 2")
        pane = app.screen.query_one(ExplorerPane)
        await until(pilot, lambda: pane.state.answer is not None)
        row = next(y for y, line in enumerate(lines(app)) if line.split()[:1] == ["3"])
        await pilot.click(offset=(8, row))
        await until(pilot, lambda: pane.state.cursor == 2)
        await pilot.click(offset=(8, row))
        await until(pilot, lambda: pane.state.tree is not None and pane.state.tree.length == 6)
        await click(pilot, app, "capital")
        await until(pilot, lambda: pane.state.tree is not None and pane.state.tree.focus == 1)


async def test_the_wheel_scrolls_a_text(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")
        reading = app.screen.query_one("#reading")
        await until(pilot, lambda: reading.max_scroll_y > 3)
        await pilot._post_mouse_events([MouseScrollDown], "#reading", button=0)
        await until(pilot, lambda: reading.scroll_y > 0)


async def test_a_click_outside_of_the_screen_leaves_the_focus(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        before = app.focused
        down = MouseDown(None, 300, 300, 0, 0, 1, False, False, False)
        app.post_message(down)
        await keys(pilot, "down")
        assert app.focused is before is not None


@pytest.mark.skipif(sys.platform == "win32", reason="another driver")
@pytest.mark.parametrize(
    ("options", "environment", "reports"),
    [
        ((), {}, [b"\x1b[?1002h", b"\x1b[?1006h"]),
        ((), {"SSH_TTY": "/dev/pts/1"}, []),
        (("--mouse", "on"), {"SSH_TTY": "/dev/pts/1"}, [b"\x1b[?1002h", b"\x1b[?1006h"]),
        (("--mouse", "off"), {}, []),
    ],
)
def test_the_terminal_is_asked_for_the_mouse_only_when_it_is_on(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], reports: list[bytes]
) -> None:
    folders = {"TUTOR_DATA": str(tmp_path), "TUTOR_MODEL": str(tmp_path / "no-such-model.gguf")}
    command = [sys.executable, "-m", "tutor", *options]
    with Terminal(command, environment={**folders, **environment}) as run:
        run.wait_for("Begin   ")
        run.press("?")
        run.wait_for("help ·")
        assert sorted(set(REPORTS.findall(bytes(run.output)))) == reports
        run.press("esc")
        run.wait_gone("help ·")
        run.press("q")
        run.wait_exit()
        assert (b"\x1b[?1002l" in run.output) == bool(reports)
