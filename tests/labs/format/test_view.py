"""Test the keys and the pictures of the constrained decoding lab."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.labs.lab_stage import at_rest, do, editor, lab_app, seen, state_of
from tests.later import SIZES
from tutor.labs.format import lab
from tutor.labs.format.lab import Rule

if TYPE_CHECKING:
    from pathlib import Path


LAB = msgspec.structs.replace(lab.LAB, start=partial(lab.start, lab.Limits(free=8)))


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "right", "enter", "enter")

    assert snap_compare(lab_app(LAB, tmp_path), terminal_size=size, run_before=run)


def test_how_it_looks_when_it_is_finished(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "right", "right", "r")

    assert snap_compare(lab_app(LAB, tmp_path), terminal_size=(80, 24), run_before=run)


async def test_masked_tokens_have_a_mark_and_a_line_through_them(tmp_path: Path) -> None:
    app = lab_app(LAB, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "x")
        struck = [line for line in seen(pilot).splitlines() if line.strip().startswith("×")]
        assert struck
        strips = app.screen._compositor.render_strips()
        assert any(segment.style and segment.style.strike for strip in strips for segment in strip)
        assert "10 of" in seen(pilot)
        await do(pilot, "enter", "enter", "u")
        assert len(state_of(pilot).written) == 1
        await do(pilot, "r")
        assert "✓ matches the format" in seen(pilot)
        assert "(end)" in seen(pilot)


async def test_the_learner_writes_formats_and_a_message(tmp_path: Path) -> None:
    app = lab_app(LAB, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot, "p")
        editor(pilot).load("(a")
        await pilot.press("enter")
        assert "The pattern is invalid" in seen(pilot)
        editor(pilot).load("a{3}")
        await do(pilot, "enter", "r")
        assert state_of(pilot).text == b"aaa"
        await do(pilot, "c")
        editor(pilot).load("red | green")
        await do(pilot, "enter")
        assert state_of(pilot).rule == Rule("choices", "red | green")
        await do(pilot, "e")
        editor(pilot).load("Which color has grass?")
        await do(pilot, "enter", "r")
        await at_rest(pilot)
        assert state_of(pilot).text in (b"red", b"green")
        assert "Which color has grass?" in seen(pilot)
