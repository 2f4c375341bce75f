"""Tests that help lists the keys that do not fit on the key line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.app.explorer.explorer_stage import Stage, press, settled, shown
from tests.app.pressing import tap
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.help import HelpScreen
from tutor.app.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("opened", ["", "t", "o", "x"])
async def test_help_lists_every_key_of_a_small_terminal(tmp_path: Path, opened: str) -> None:
    stage = Stage(ExplorerScreen, folder=tmp_path)
    async with stage.run_test(size=(40, 12)) as pilot:
        await settled(pilot)
        if opened:
            await press(pilot, "1", opened)
        line = stage.screen.query_one(KeyLine)
        others, last = line.keys()
        shown_keys = sum(len(each) for each in line.lines(38))
        if left_out := len(others) + len(last) - shown_keys:
            assert f"? {left_out} more" in shown(stage)
        await press(pilot, "question_mark")
        assert isinstance(stage.screen, HelpScreen)
        listed = shown(stage)
        keys = stage.screen.query_one("#scrolled")
        while keys.scroll_y < keys.max_scroll_y:
            await tap(pilot, *["down"] * 3)
            listed += shown(stage)
        for key, said in (*others, *last):
            assert key in {"?", "esc"} or re.search(rf"{re.escape(key)} +{said}", listed), key
