"""Test pasting into fields with a single line."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Paste
from textual.widgets import Input

from tests.app.whole_app import keys, sees, until, whole_app


@pytest.mark.parametrize(
    ("pasted", "value"),
    [
        ("par", "par"),
        ("\n  \r\n\tpar is  \nsecond line", "par is"),
        ("a\x00b\tc\x1b[31m", "a␀b␉c␛[31m"),
        ("", ""),
        (" \n ", ""),
        ("x" * 500, "x" * 200),
    ],
)
async def test_the_first_line_is_pasted(tmp_path: Path, pasted: str, value: str) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "v")
        await until(pilot, lambda: isinstance(app.focused, Input))
        app.post_message(Paste(pasted))
        await keys(pilot, "end")
        assert isinstance(app.focused, Input)
        assert app.focused.value == value
        await keys(pilot, "ctrl+a", "shift+end")
        app.post_message(Paste("y"))
        await until(pilot, lambda: isinstance(app.focused, Input) and app.focused.value == "y")


async def test_a_number_is_pasted_into_its_field(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test() as pilot:
        await sees(pilot, "Begin")
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of")
        for number in range(2, 12):
            if isinstance(app.focused, Input):
                break
            await keys(pilot, "s")
            await sees(pilot, f"question {number} of")
        assert isinstance(app.focused, Input)
        app.post_message(Paste(" 42\n"))
        await until(pilot, lambda: isinstance(app.focused, Input) and app.focused.value == "42")
