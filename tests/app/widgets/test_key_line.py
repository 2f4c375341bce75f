"""Test the key line, and that help lists the keys that do not fit on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.app.explorer.explorer_stage import Stage, press, settled, shown
from tests.app.pressing import settle, tap
from tests.later import later
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.help import HelpScreen
from tutor.app.widgets.key_line import NARROW, Entry, KeyLine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("opened", ["", *later("tox")])
async def test_help_lists_every_key_of_a_small_terminal(tmp_path: Path, opened: str) -> None:
    stage = Stage(ExplorerScreen, folder=tmp_path)
    async with stage.run_test(size=(40, 12)) as pilot:
        await settled(pilot)
        if opened:
            await press(pilot, "1", opened)
        line = stage.screen.query_one(KeyLine)
        others, last = line.keys()
        if len(others) + len(last) > sum(map(len, line.lines(38))):
            assert "? keys" in shown(stage)
        await press(pilot, "question_mark")
        assert isinstance(stage.screen, HelpScreen)
        listed = shown(stage)
        keys = stage.screen.query_one("#scrolled")
        while keys.scroll_y < keys.max_scroll_y:
            await tap(pilot, *["down"] * 3)
            listed += shown(stage)
        for key, said, *_ in (*others, *last):
            assert key in {"?", "esc"} or re.search(rf"{re.escape(key)} +{said}", listed), key


async def test_keys_are_in_groups_and_never_cut(tmp_path: Path) -> None:
    stage = Stage(ExplorerScreen, folder=tmp_path)
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        line = stage.screen.query_one(KeyLine)
        assert line.size.height == 1
        others, last = line.keys()
        for width in range(12, 240):
            lines = line.lines(width)
            assert len(lines) == 1 if width >= NARROW else len(lines) <= 2
            entries = [each for row in lines for each in row]
            groups = [each.group for each in entries]
            assert groups == sorted(groups)
            assert entries[-1].key == "?"
            all_shown = len(entries) == len(others) + len(last)
            assert entries[-1].label == ("help" if all_shown else "keys")
        assert sorted(entries) == sorted([*others, *last])


async def test_no_key_is_separated_from_its_label(tmp_path: Path) -> None:
    for width in range(20, 130, 10):
        stage = Stage(ExplorerScreen, folder=tmp_path)
        async with stage.run_test(size=(width, 24)) as pilot:
            await settled(pilot)
            line = stage.screen.query_one(KeyLine)
            rows = shown(stage).split("\n")[24 - line.size.height : 24]
            pairs = [re.split(r" │ |  ", row.strip()) for row in rows]
            wanted = [[f"{each.key} {each.label}" for each in row] for row in line.lines(width - 2)]
            assert pairs == wanted


@pytest.mark.parametrize("size", [(40, 24), (80, 24), (140, 40)])
async def test_there_is_always_a_rule_above_the_keys(tmp_path: Path, size: tuple[int, int]) -> None:
    stage = Stage(ExplorerScreen, folder=tmp_path)
    async with stage.run_test(size=size) as pilot:
        await settled(pilot)
        line = stage.screen.query_one(KeyLine)
        rule = shown(stage).split("\n")[size[1] - line.size.height - 1]
        assert set(rule.strip()) == {"─"}


async def test_keys_are_arranged_once_before_the_screen_is_painted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arranged: list[int] = []
    arrange = KeyLine.lines

    def lines(line: KeyLine, width: int) -> list[list[Entry]]:
        arranged.append(width)
        return arrange(line, width)

    stage = Stage(ExplorerScreen, folder=tmp_path)
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        monkeypatch.setattr(KeyLine, "lines", lines)
        for _ in range(9):
            stage.screen.refresh_bindings()
        await settle(pilot)
    assert len(arranged) == 1


async def test_changed_keys_are_painted_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(ExplorerScreen, folder=tmp_path)
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        line = stage.screen.query_one(KeyLine)
        _, last = line.keys()
        monkeypatch.setattr(KeyLine, "keys", lambda _: ([], last))
        stage.screen.refresh_bindings()
        with stage._context():
            stage.screen._on_timer_update()
        assert line._shown == [last]
