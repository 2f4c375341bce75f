"""Test the command palette on the whole app."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace
from textual.events import Key
from textual.fuzzy import FuzzySearch

from tests.app.explorer.explorer_stage import lines, shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.sample_course import LESSON
from tutor.allowed import LOCKED_DOWN
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.explorer.share.screen import ShareScreen
from tutor.app.explorer.xray.screen import XRayScreen
from tutor.app.help import HelpScreen
from tutor.app.home.screen import HomeScreen
from tutor.app.home.tour import TourScreen
from tutor.app.labs.screen import LabScreen
from tutor.app.palette.commands import KINDS, Command, find
from tutor.app.palette.screen import PaletteScreen
from tutor.app.places import PLACES
from tutor.app.progress.screen import ProgressScreen
from tutor.app.reader.finder import GlossaryScreen
from tutor.app.services import Place
from tutor.course.catalogue import Course
from tutor.course.term import Term


def command(title: str, about: str = "", sign: str = "lab") -> Command:
    return Command(title, about, sign, lambda: None)


def titles(words: str, *commands: Command) -> list[str]:
    return [each.command.title for each in find(commands, words, FuzzySearch())]


def test_a_title_is_found_by_some_of_its_letters_before_a_description() -> None:
    offered = command("Tokens", "see undo"), command("undo", "Undo the last token.", "u")
    assert titles("undo", *offered) == ["undo", "Tokens"]
    assert titles("tkn", *offered) == ["Tokens"]
    assert titles("last undo", *offered) == ["undo"]
    assert titles("lab", *offered) == ["Tokens"]
    assert titles("xyz", *offered) == []
    assert titles("", *offered) == ["Tokens", "undo"]


def test_a_title_that_begins_with_the_words_comes_first() -> None:
    offered = command("Chat template"), command("Temperature")
    assert titles("temp", *offered) == ["Temperature", "Chat template"]


def test_every_screen_has_a_title() -> None:
    places = {name for literal in get_args(Place) for name in get_args(literal) or (literal,)}
    assert set(PLACES) == places


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_it_runs_an_action_of_the_screen_below_it(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Begin")
        before = shown(app)
        await keys(pilot, "ctrl+p")
        await sees(pilot, "type the name")
        await keys(pilot, "ctrl+p", "escape")
        await until(pilot, lambda: shown(app) == before)
        await keys(pilot, "ctrl+p", *"explain", "enter")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert isinstance(app.screen_stack[-2], HomeScreen)


async def test_it_opens_the_stepper_with_its_xray(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "ctrl+p", *"x-ray")
        await sees(pilot, "Open the stepper, and look inside")
        await keys(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, XRayScreen))
        await keys(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        await keys(pilot, "ctrl+p", *"x-ray")
        await sees(pilot, "x-ray")
        assert "Open the stepper, and look inside" not in shown(app)


async def test_saving_is_found_by_the_words_that_people_use(tmp_path: Path) -> None:
    """On the map the palette opens the stepper, and there it saves."""
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "ctrl+p", *"export")
        await sees(pilot, "1 found")
        await sees(pilot, "Save a text")
        await keys(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        await sees(pilot, "enter step")
        await keys(pilot, "ctrl+p", *"export")
        await sees(pilot, "1 found")
        assert "Save a text" not in shown(app)
        await keys(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, ShareScreen))


async def test_it_opens_screens_lessons_labs_and_terms(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "ctrl+p", *"progress", "enter")
        await until(pilot, lambda: isinstance(app.screen, ProgressScreen))
        await keys(pilot, "ctrl+p", *"lab atten", "enter")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        await keys(pilot, "ctrl+p", *"glossary", "enter")
        await until(pilot, lambda: isinstance(app.screen, GlossaryScreen))
        await keys(pilot, "ctrl+p", *"progress", "enter")  # it is open already
        await until(pilot, lambda: isinstance(app.screen, ProgressScreen))
        assert len(app.screen_stack) == 2
        await keys(pilot, "ctrl+p", *"course map", "enter")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_enter_that_is_typed_ahead_runs_what_the_words_mean(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        for key in ("ctrl+p", *"tour", "enter"):  # none waits for the effect of the one before
            app.post_message(Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: isinstance(app.screen, TourScreen))


async def test_the_chat_is_not_opened_twice(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "s")
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        stepper = app.screen
        await keys(pilot, "ctrl+p", *"screen chat", "enter")
        await until(pilot, lambda: app.screen is stepper)
        await sees(pilot, "message")
        assert len(app.screen_stack) == 2


async def test_text_of_a_lesson_is_only_text(tmp_path: Path) -> None:
    terms = (Term("hostile", "[b]Bold[/] [@click=app.quit]\x1b[31m", "see [/nothing] $x"),)
    lesson = replace(LESSON, title="[red]Red[/] [@click=app.quit]x")
    course = Course(lessons=(lesson,), terms=terms)
    app = whole_app(tmp_path, course=course)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "ctrl+p", *"red")
        await sees(pilot, "[red]Red[/] [@click=app.quit]x")
        await keys(pilot, *["backspace"] * 3, *"bold")
        await sees(pilot, "[b]Bold[/] [@click=app.quit]␛[31m  see [/nothing] $x")


async def test_a_kiosk_offers_only_what_is_allowed(tmp_path: Path) -> None:
    app = whole_app(tmp_path, allowed=LOCKED_DOWN)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "m")
        await sees(pilot, "model")
        await keys(pilot, "ctrl+p", *"download")
        await until(pilot, lambda: "download" in shown(app))
        await sees(pilot, "No action, screen, lesson")
        assert isinstance(app.screen, PaletteScreen)


async def test_each_line_ends_with_a_key_or_a_kind(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(40, 26)) as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "ctrl+p")
        await sees(pilot, "Course map")
        rows = [line.strip(" ▁▂▃▄▅▆▇█│") for line in lines(app)[3:-3]]
        signs = {row.split()[-1] for row in rows if row}
        assert {"?", "/", "screen"} <= signs
        assert all(sign in KINDS or len(sign) <= 9 for sign in signs)
