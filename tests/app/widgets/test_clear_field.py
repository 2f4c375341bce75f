"""Tests that a text field says how to clear it, as long as it contains text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.app.explorer.test_keys import PROMPT, explorer
from tests.labs.lab_stage import at_rest, do, editor, lab_app, seen
from tutor.app.explorer.share.screen import ShareName
from tutor.app.explorer.token_search import SearchEntry
from tutor.app.widgets.prompt_editor import PromptEditor

if TYPE_CHECKING:
    from pathlib import Path

SIZES = pytest.mark.parametrize("size", [(80, 24), (40, 12)])


@SIZES
async def test_the_text_of_a_lab_is_cleared(size: tuple[int, int], tmp_path: Path) -> None:
    async with lab_app("tokens", tmp_path).run_test(size=size) as pilot:
        await at_rest(pilot)
        await do(pilot, "e")
        assert editor(pilot).text
        assert "ctrl+u clear line" in seen(pilot)
        await do(pilot, "ctrl+u")
        assert editor(pilot).text == ""
        assert "ctrl+u" not in seen(pilot)
        await do(pilot, "x")
        assert "ctrl+u clear line" in seen(pilot)


@SIZES
async def test_a_prompt_is_cleared(size: tuple[int, int], tmp_path: Path) -> None:
    async with explorer(tmp_path, size=size) as it:
        await it.press("e")
        field = it.stage.screen.query_one(PromptEditor)
        assert field.text == PROMPT
        assert "ctrl+u clear line" in it.screen
        await it.press("left", "left", "ctrl+u")
        assert field.text == ""
        assert "ctrl+u" not in it.screen


@SIZES
async def test_the_name_of_a_file_is_cleared(size: tuple[int, int], tmp_path: Path) -> None:
    async with explorer(tmp_path, size=size) as it:
        await it.press("ctrl+s")
        assert "ctrl+u" not in it.screen  # the field does not have the focus
        await it.press("e")
        assert "ctrl+u clear" in it.screen
        await it.press("left", "ctrl+u")
        assert it.stage.screen.query_one(ShareName).value == ""
        assert "ctrl+u" not in it.screen


@SIZES
async def test_the_token_search_is_cleared(size: tuple[int, int], tmp_path: Path) -> None:
    async with explorer(tmp_path, size=size) as it:
        await it.press("slash")
        assert "ctrl+u" not in it.screen
        await it.type("par")
        assert "ctrl+u clear" in it.screen
        await it.press("ctrl+u")
        assert it.stage.screen.query_one(SearchEntry).value == ""
        assert "ctrl+u" not in it.screen
