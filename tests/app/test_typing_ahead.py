"""Test that keys which arrive at once take effect in a text field in their order."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input

from tests.app.explorer.test_keys import explorer
from tests.app.pressing import burst
from tests.app.whole_app import keys, sees, until, whole_app
from tests.labs.lab_stage import at_rest, do, editor, lab_app, screen_of
from tutor.app.explorer.token_search import SearchEntry
from tutor.labs.ghost_text.code_editor import CodeEditor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot

CORRECTED = (*"re", "backspace", "backspace", *"fexd", "left", "backspace", "e")
"""Keys that leave “feed” in an empty field, with the cursor before its last character."""


@asynccontextmanager
async def at_home(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with whole_app(folder).run_test() as pilot:
        await sees(pilot, "Begin")
        yield pilot


@pytest.mark.parametrize("place", ["v", "slash"])
async def test_a_search_field(place: str, tmp_path: Path) -> None:
    async with at_home(tmp_path) as pilot:
        await keys(pilot, place)
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await burst(pilot, *CORRECTED)
        assert isinstance(pilot.app.focused, Input)
        assert (pilot.app.focused.value, pilot.app.focused.cursor_position) == ("feed", 3)
        await burst(pilot, "end", *"ing", "ctrl+u", *"on")
        assert pilot.app.focused.value == "on"


async def test_the_token_search(tmp_path: Path) -> None:
    async with explorer(tmp_path, size=(80, 24)) as it:
        await it.press("slash")
        await burst(it.pilot, *CORRECTED)
        assert it.stage.screen.query_one(SearchEntry).value == "feed"


async def test_the_field_of_a_lab(tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e", "ctrl+u")
        await burst(pilot, *CORRECTED)
        assert (editor(pilot).text, editor(pilot).cursor_location) == ("feed", (0, 3))
        await burst(pilot, "end", *"ing", "ctrl+u", *"on")
        assert editor(pilot).text == "on"


async def test_an_editor_of_code(tmp_path: Path) -> None:
    async with lab_app("ghost-text", tmp_path).run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        await do(pilot, "e")
        field = screen_of(pilot).query_one(CodeEditor)
        field.load_text("")
        await burst(pilot, *CORRECTED)
        assert (field.text, field.cursor_location) == ("feed", (0, 3))


async def test_an_answer_is_graded_as_it_was_when_enter_was_pressed(tmp_path: Path) -> None:
    async with at_home(tmp_path) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of")
        while not isinstance(pilot.app.focused, Input):
            await keys(pilot, "s")
        field = pilot.app.focused
        await burst(pilot, *"13", "backspace", "2", "tab", "ctrl+u")
        assert field.value == "12"  # the second key came after the field had been left
        await keys(pilot, "tab")
        await burst(pilot, "enter", "backspace")
        await sees(pilot, "× 12 bits is too high.")


async def test_a_key_after_enter_does_not_choose_another_match(tmp_path: Path) -> None:
    async with at_home(tmp_path) as pilot:
        await keys(pilot, "slash", "e")
        await sees(pilot, "› The question")
        await burst(pilot, "enter", "down")
        await sees(pilot, "1 of 3")  # the screen of the first match, not of the second


async def test_a_proposal_that_was_dismissed_is_not_accepted(tmp_path: Path) -> None:
    async with lab_app("ghost-text", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "e")
        field = screen_of(pilot).query_one(CodeEditor)
        await until(pilot, lambda: bool(field.suggestion))
        before = field.text
        await burst(pilot, "escape", "tab")
        await at_rest(pilot)
        assert field.text == before
