"""Test the mouse: when it is on, what it may send, and what a click does."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import msgspec
import pytest
from textual.events import Key, MouseDown, MouseEvent, MouseScrollDown, MouseUp
from textual.screen import Screen as Page
from textual.widgets import Input

from tests.app.clicking import click, click_at, post_click
from tests.app.explorer.explorer_stage import lines, shown
from tests.app.pressing import settle
from tests.app.whole_app import keys, sees, until, whole_app
from tests.labs.lab_stage import BackendEngine
from tests.sample_course import LESSON
from tests.shipped_course import with_cached_course
from tests.terminal import Terminal
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.help import HelpScreen
from tutor.app.home.screen import HomeScreen
from tutor.app.reader.lesson import LessonScreen
from tutor.app.reader.links import TermScreen
from tutor.app.terminal.input import MouseParser
from tutor.app.terminal.late_clicks import LateClicks
from tutor.app.terminal.mouse import VARIABLE, mouse_wanted
from tutor.app.widgets.clicks import ClickedKey
from tutor.app.widgets.key_line import Entry, key_at
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.notice import Notice
from tutor.course.catalogue import Course
from tutor.course.lesson import Screen
from tutor.course.questions.number import NumberQuestion
from tutor.course.term import Term
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState

LINKED = Course(
    lessons=(
        msgspec.structs.replace(
            LESSON,
            screens=(
                Screen(
                    id="linked",
                    title="Linked",
                    body="The tokenizer cuts text into [tokens](glossary.md#token).",
                ),
            ),
        ),
    ),
    terms=(Term("token", "Token", "A piece of text."),),
)

NUMBER = Course(
    lessons=(
        msgspec.structs.replace(
            LESSON,
            screens=LESSON.screens[-1:],
            questions=tuple(each for each in LESSON.questions if isinstance(each, NumberQuestion)),
        ),
    )
)

if TYPE_CHECKING:
    from tutor.settings.schema import Switch

REPORTS = re.compile(rb"\x1b\[\?(?:9|100[0-35-6]|101[56])h")


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
    assert {text: key_at(entries, line.index(text))[1] for text in columns} == columns
    assert key_at(entries, len(line)) == (None, "")


async def test_a_click_on_the_key_line_presses_the_key(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await click(pilot, app, "? keys")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await click(pilot, app, "esc back")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


@pytest.mark.parametrize("quick", [True, False])
async def test_a_double_click_on_the_questions_does_nothing_there(
    quick: bool, tmp_path: Path
) -> None:
    app = whole_app(tmp_path, course=NUMBER)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "enter questions")
        x, y = lines(app)[-1].index("enter"), len(lines(app)) - 1
        now = monotonic()
        post_click(app, x, y, now)
        if not quick:
            await sees(pilot, "question 1 of")
        post_click(app, x, y, now + 0.2)
        await sees(pilot, "question 1 of")
        await settle(pilot)
        field = app.screen.query_one(Input)
        assert (field.has_focus, field.value) == (True, "")
        assert app.screen.query_one(Notice).said == (None,)


async def test_a_double_click_answers_but_does_not_go_on(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter", "a", "a")
        await sees(pilot, "enter answer")
        x, y = lines(app)[-1].index("enter"), len(lines(app)) - 1
        now = monotonic()
        post_click(app, x, y, now)
        await sees(pilot, "enter next")
        post_click(app, x, y, now + 0.2)
        await settle(pilot)
        assert "enter next" in shown(app)


async def test_a_click_made_before_the_screen_was_painted_does_nothing(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=NUMBER)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "enter questions")
        x, y = lines(app)[-1].index("enter"), len(lines(app)) - 1
        post_click(app, x, y, time=0.0)
        await settle(pilot)
        assert isinstance(app.screen, LessonScreen)
        post_click(app, x, y)
        await sees(pilot, "question 1 of")


async def test_a_letter_that_is_clicked_is_never_typed(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=NUMBER)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of")
        app.post_message(ClickedKey("v", app.screen))
        await settle(pilot)
        assert app.screen.query_one(Input).value == ""


def test_a_click_is_late_if_its_screen_was_painted_after_it() -> None:
    clicks, old, new = LateClicks(double_click=0.5), Page[object](), Page[object]()
    clicks.paint(old, 1.0)
    assert not clicks.is_late(_down(1, time=2.0), old)
    assert clicks.is_late(_down(2, time=2.1), new)
    clicks.paint(new, 3.0)
    assert clicks.is_late(_down(3, time=2.9), new)
    clicks.paint(new, 4.0)
    assert not clicks.is_late(_down(4, time=3.1), new)


def _down(x: int, time: float) -> MouseDown:
    event = MouseDown(None, x, 0, 0, 0, 1, False, False, False)
    event.time = time
    return event


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


async def test_a_click_picks_an_item_up_and_puts_it_down(tmp_path: Path) -> None:
    Progress.open(tmp_path).save_lesson(
        LessonState(
            lesson=LESSON.id,
            question="loop",
            quiz_order=tuple(question.id for question in LESSON.questions),
            quiz_seed=7,
        )
    )
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Continue")
        await keys(pilot, "enter")
        await sees(pilot, "› 1  ")
        first = next(line.split("  ")[1] for line in lines(app) if "› 1  " in line)
        await click(pilot, app, "2  ")
        await sees(pilot, "› 2  ")
        await click(pilot, app, "1  ")
        await click(pilot, app, "1  ")
        await sees(pilot, "↕ 1  ")
        await click(pilot, app, "4  ")
        await sees(pilot, f"› 4  {first}")


async def test_a_click_opens_a_link_and_a_click_beside_the_panel_closes_it(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=LINKED)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "cuts text into")
        await click(pilot, app, "tokens")
        await until(pilot, lambda: isinstance(app.screen, TermScreen))
        await sees(pilot, "A piece of text.")
        await click(pilot, app, "A piece of text.")
        assert isinstance(app.screen, TermScreen)
        await click(pilot, app, "cuts text into")
        await until(pilot, lambda: isinstance(app.screen, LessonScreen))


async def test_a_click_on_its_card_opens_a_lab(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter", "right")
        await sees(pilot, "Your task there")
        await click(pilot, app, "Find a step at which")
        await sees(pilot, "seed 2")


async def test_a_click_on_the_task_of_a_lab_shows_all_goals(tmp_path: Path) -> None:
    app = whole_app(tmp_path, lab="generations")
    async with app.run_test() as pilot:
        await sees(pilot, "0 of 5 goals reached")
        assert "○ Add an intent" not in shown(app)
        await click(pilot, app, "Compare bots that")
        await sees(pilot, "○ Add an intent")
        await click(pilot, app, "○ Add an intent")
        await until(pilot, lambda: "○ Add an intent" not in shown(app))


async def test_a_click_on_the_line_below_a_text_pages_it(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "lines below")
        reading = app.screen.query_one("#reading")
        await click(pilot, app, "▼ ")
        await until(pilot, lambda: reading.scroll_y > 3)
        await click(pilot, app, "▲ ")
        await until(pilot, lambda: reading.scroll_y == 0)


async def test_a_click_on_the_name_of_a_key_presses_it(tmp_path: Path) -> None:
    app = whole_app(tmp_path, BackendEngine(), lab="tokens")
    async with app.run_test() as pilot:
        await sees(pilot, "goals reached")
        await keys(pilot, "z", "z")
        await sees(pilot, "Press u to undo")
        await click(pilot, app, "Press u to undo")
        await until(pilot, lambda: "Press u to undo" not in shown(app))


async def test_a_click_on_a_key_in_the_lines_of_a_lab_presses_nothing(tmp_path: Path) -> None:
    """Guard against a text of the model that looks like a key."""
    app = whole_app(tmp_path, lab="generations")
    async with app.run_test() as pilot:
        await sees(pilot, "Press e to write a message")
        await click(pilot, app, "Press e to write a message")
        assert "Message to all three bots:" not in shown(app)
        await keys(pilot, "e")
        await sees(pilot, "Message to all three bots:")
        await click(pilot, app, "My parrot ate my library card.")
        await until(pilot, lambda: "for example" not in shown(app))
        await sees(pilot, "My parrot ate my library card.")


async def test_a_click_in_the_list_of_screens_goes_to_that_screen(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(180, 40)) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "  And again")
        await click(pilot, app, "And again")
        await sees(pilot, "3 of 3")


async def test_a_click_takes_a_token_of_the_tour(tmp_path: Path) -> None:
    app = whole_app(tmp_path, tour=True)
    async with app.run_test() as pilot:
        await sees(pilot, "Welcome to tutor")
        await keys(pilot, "enter")
        await sees(pilot, "computed just now")
        row = next(y for y, line in enumerate(lines(app)) if line.split()[:1] == ["2"])
        token = lines(app)[row].split()[1]
        await click_at(pilot, 12, row)
        await sees(pilot, f"The capital of France is{token.replace('␣', ' ')}▏")


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
        pytest.param(
            ("--mouse", "on"),
            {"SSH_TTY": "/dev/pts/1"},
            [b"\x1b[?1002h", b"\x1b[?1006h"],
            marks=pytest.mark.slow,
        ),
        pytest.param(("--mouse", "off"), {}, [], marks=pytest.mark.slow),
    ],
)
def test_the_terminal_is_asked_for_the_mouse_only_when_it_is_on(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], reports: list[bytes]
) -> None:
    folders = {"TUTOR_DATA": str(with_cached_course(tmp_path))}
    folders["TUTOR_MODEL"] = str(tmp_path / "no-such-model.gguf")
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
