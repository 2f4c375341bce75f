"""Tests the key line, and that help lists the keys that do not fit on it."""

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
        if left_out := len(others) + len(last) - len(line.shown(38)):
            assert f"? {left_out} more" in shown(stage)
        await press(pilot, "question_mark")
        assert isinstance(stage.screen, HelpScreen)
        listed = shown(stage)
        keys = stage.screen.query_one("#scrolled")
        while keys.scroll_y < keys.max_scroll_y:
            await tap(pilot, *["down"] * 3)
            listed += shown(stage)
        for key, said, _ in (*others, *last):
            assert key in {"?", "esc"} or re.search(rf"{re.escape(key)} +{said}", listed), key


async def test_keys_are_on_one_line_in_groups_and_never_cut(tmp_path: Path) -> None:
    stage = Stage(ExplorerScreen, folder=tmp_path)
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        line = stage.screen.query_one(KeyLine)
        others, last = line.keys()
        for width in range(12, 240):
            entries = line.shown(width)
            assert {each.key for each in entries} <= {each.key for each in (*others, *last)}
            groups = [each.group for each in entries]
            assert groups == sorted(groups)
            written = re.split(r" │ |  ", line.drawn(width).plain)
            assert written == [f"{each.key} {each.label}" for each in entries]
            assert len(line.drawn(width).plain) <= width
        assert line.shown(239)[-2:] == last
        assert line.size.height == 1
        assert set(others) <= set(line.shown(239))


async def test_the_rule_above_the_keys_never_vanishes(tmp_path: Path) -> None:
    for height in (10, 24):
        stage = Stage(ExplorerScreen, folder=tmp_path)
        async with stage.run_test(size=(40, height)) as pilot:
            await settled(pilot)
            rule, keys = shown(stage).rstrip("\n").split("\n")[-2:]
            assert set(rule.strip()) == {"─"}
            assert "? " in keys
