"""Test the key that copies, on the whole app."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from textual.events import Click

from tests.app.explorer.explorer_stage import shown
from tests.app.pressing import event_of, settle
from tests.app.whole_app import keys, sees, until, whole_app
from tests.sample_course import LESSON
from tutor.app.copying import clipboard, copies
from tutor.app.copying.screen import CopyScreen
from tutor.app.home.screen import HomeScreen
from tutor.app.widgets import prompt_editor
from tutor.cli.main import parser
from tutor.course.catalogue import Course

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tutor.app.app import TutorApp


async def copied(pilot: Pilot[None], app: TutorApp, number: str = "") -> str:
    """Press the key that copies, choose a text by its number, and return what was copied."""
    app._clipboard = ""
    await keys(pilot, "ctrl+o")
    if number:
        await until(pilot, lambda: isinstance(app.screen, CopyScreen))
        await keys(pilot, number)
    await sees(pilot, "Copied")
    assert not isinstance(app.screen, CopyScreen)
    return app.clipboard


def offered(app: TutorApp) -> str:
    assert isinstance(app.screen, CopyScreen)
    return shown(app)


async def test_the_selected_row_of_a_list_is_copied_and_the_notice_goes_away(
    tmp_path: Path,
) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        before = shown(app)
        text = await copied(pilot, app, "1")
        assert text.startswith("Begin  ")
        assert "  " * 2 not in text
        await sees(pilot, "Copied the selected row")
        await keys(pilot, "home")
        await until(pilot, lambda: shown(app) == before)
        await keys(pilot, "ctrl+o", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert shown(app) == before


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_the_text_of_a_lesson_is_copied_as_markdown(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 3")
        text = await copied(pilot, app, "1")
        assert text.startswith("# The question\n\nA language model answers **one** question")


async def test_a_question_and_its_explanation_are_copied(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of")
        await keys(pilot, "ctrl+o")
        await sees(pilot, "the question")
        assert "the explanation" not in offered(app)  # it would give the answer away
        await keys(pilot, "escape", "b")
        assert "\na  " in await copied(pilot, app, "2")
        await keys(pilot, "enter")
        await sees(pilot, "saved")
        await keys(pilot, "ctrl+o")
        await sees(pilot, "the explanation")


async def test_the_stepper_copies_its_text_and_a_command_for_what_it_shows(
    tmp_path: Path,
) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "s")
        await sees(pilot, "seed 2")
        await keys(pilot, "enter")
        text = await copied(pilot, app, "2")
        assert text.startswith("The capital of France is ")
        command = shlex.split(await copied(pilot, app, "3"))
        options = parser().parse_args(command[1:])
        assert (options.text, options.seed, options.steps) == (text, 2, None)
        await keys(pilot, "s")
        await sees(pilot, "seed 3")
        command = shlex.split(await copied(pilot, app, "3"))
        options = parser().parse_args(command[1:])
        assert (options.text, options.seed) == ("The capital of France is", 3)


async def test_a_lab_copies_its_view(tmp_path: Path) -> None:
    app = whole_app(tmp_path, lab="landscape")
    async with app.run_test() as pilot:
        await sees(pilot, "lab ·")
        await keys(pilot, "ctrl+o")
        await sees(pilot, "the command for this lab")
        assert "the view" in offered(app)


async def test_enter_twice_on_the_menu_of_texts_closes_only_the_menu(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, CopyScreen))
        for _ in range(3):
            app.post_message(event_of("enter"))
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await settle(pilot)
    assert app.crash is None


async def test_the_key_does_nothing_on_the_menu_of_texts(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, CopyScreen))
        await keys(pilot, "ctrl+o")
        await keys(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_each_text_is_offered_once_in_every_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "s")
        await sees(pilot, "seed 2")
        await keys(pilot, "e", "shift+home")
        for module in (copies, prompt_editor):
            monkeypatch.setattr(module, "_", str.upper)
        monkeypatch.setattr(app.screen, "get_selected_text", lambda: "selected")
        names = [each.what for each in copies.copies_of(app.screen)]
        assert names[:2] == ["THE SELECTION", "THE TEXT IN THE FIELD"]
        assert len(names) == len(set(names))


async def test_control_characters_are_copied_as_symbols(tmp_path: Path) -> None:
    hostile = replace(LESSON.screens[0], body="one\x1b]52;c;eA==\x07\r\ntwo\u202e\x00")
    course = Course(lessons=(replace(LESSON, screens=(hostile,)),))
    app = whole_app(tmp_path, course=course)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 1")
        text = await copied(pilot, app, "1")
        assert "one␛]52;c;eA==␇\ntwo‹U+202E›␀" in text


async def test_a_text_that_is_too_long_is_not_cut(tmp_path: Path) -> None:
    long = replace(LESSON.screens[0], body="word " * 20_000)
    course = Course(lessons=(replace(LESSON, screens=(long,)),))
    app = whole_app(tmp_path, course=course)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter")
        await sees(pilot, "1 of 1")
        app._clipboard = "before"
        await keys(pilot, "ctrl+o", "1")
        await sees(pilot, "Nothing was copied: the text of this screen is 101 kB")
        assert app.clipboard == "before"


async def test_ctrl_c_copies_the_selection_and_warns_before_text_is_lost(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "s")
        await sees(pilot, "seed 2")
        await keys(pilot, "e")
        await sees(pilot, "enter accept")
        await keys(pilot, *"ab", "shift+left", "ctrl+c")
        await sees(pilot, "Copied the selection (1 character)")
        assert app.clipboard == "b"
        await keys(pilot, "right", "ctrl+c")
        await sees(pilot, "You have not submitted this text.")
        await keys(pilot, "c")
        await until(pilot, lambda: "not entered" not in shown(app))
        assert app.is_running
        await keys(pilot, "ctrl+c", "ctrl+c")
        await pilot._wait_for_screen() if app.is_running else None
    assert app.return_value is None
    assert app._exit


async def test_ctrl_c_does_not_warn_of_an_unchanged_text(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "s")
        await sees(pilot, "seed 2")
        await keys(pilot, "e")
        await sees(pilot, "enter accept")
        await keys(pilot, "ctrl+c")
        await pilot._wait_for_screen() if app.is_running else None
    assert app._exit


async def test_drawn_lines_are_selected_with_the_mouse_and_copied(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "s")
        await sees(pilot, "seed 2")
        rows = shown(app).splitlines()
        y = next(at for at, row in enumerate(rows) if "The capital of" in row)
        x = rows[y].index("The capital of")
        await pilot.mouse_down(offset=(x + 4, y))
        await pilot.hover(offset=(x + 10, y))
        await pilot.mouse_up(offset=(x + 10, y))
        before = shown(app)
        app.screen._forward_event(Click(None, x + 10, y, 0, 0, 1, False, False, False))
        await settle(pilot)
        assert shown(app) == before  # a terminal reports a click after the mouse was dragged
        await keys(pilot, "ctrl+c")
        await sees(pilot, "Copied the selection (7 characters)")
        assert app.clipboard == "capital"


@pytest.mark.parametrize(
    ("environment", "advice"),
    [
        ({"TMUX": "/tmp/tmux"}, "tmux set -s set-clipboard on"),
        ({"STY": "1.x"}, "GNU screen does not"),
        ({"TERM_PROGRAM": "Apple_Terminal"}, "Terminal.app does not"),
        ({}, "allow OSC 52"),
    ],
)
def test_the_notice_says_what_to_do_if_the_terminal_refuses(
    environment: dict[str, str], advice: str
) -> None:
    notice = clipboard.copied("the row", "one", environment)
    assert notice.startswith("Copied the row (3 characters). ")
    assert advice in notice
