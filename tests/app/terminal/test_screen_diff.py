"""Test that sending only changes draws the same picture as sending everything."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Region, Size
from textual.strip import Strip

from tutor.app.terminal.line import SSH
from tutor.app.terminal.remote_terminal import RemoteTerminal
from tutor.app.terminal.screen_diff import ScreenDiff
from tutor.app.widgets.static import Static

SIZE = Size(16, 4)
STYLES = [
    None,
    Style.parse("bold"),
    Style.parse("red"),
    Style.parse("bold red on blue"),
    Style.parse("reverse"),
    Style.parse("#e8b04b on #14181d"),
]
SEGMENTS = st.builds(
    lambda text, style: Segment(text, style),
    st.text("ab █é中", min_size=1, max_size=5),
    st.sampled_from(STYLES),
)
ROWS = st.lists(SEGMENTS, max_size=5).map(
    lambda segments: Strip(segments).adjust_cell_length(SIZE.width)
)
PICTURES = st.lists(ROWS, min_size=SIZE.height, max_size=SIZE.height)


def update(rows: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[row] for row in rows], Region(0, 0, SIZE.width, len(rows)))


class Screen:
    """A terminal that is sent the changes of a `ScreenDiff`."""

    def __init__(self) -> None:
        self.diff = ScreenDiff()
        self._screen = pyte.Screen(*SIZE)
        self._stream = pyte.Stream(self._screen)

    def show(self, rows: list[Strip]) -> str:
        self.diff.put(update(rows), SIZE)
        changes = self.diff.changes("256")
        written = "" if changes is None else changes.written
        self._stream.feed(written)
        return written

    @property
    def cells(self) -> list[list[pyte.screens.Char]]:
        return [[self._screen.buffer[y][x] for x in range(SIZE.width)] for y in range(SIZE.height)]


def row(text: str, style: str = "") -> Strip:
    return Strip([Segment(text, Style.parse(style))]).adjust_cell_length(SIZE.width)


@settings(max_examples=50)
@given(st.lists(PICTURES, min_size=1, max_size=4))
def test_the_picture_does_not_depend_on_what_was_shown_before(pictures: list[list[Strip]]) -> None:
    step_by_step, at_once = Screen(), Screen()
    for picture in pictures:
        step_by_step.show(picture)
    at_once.show(pictures[-1])
    assert step_by_step.cells == at_once.cells


def test_one_digit_costs_a_jump_and_a_digit() -> None:
    screen = Screen()
    screen.show([row("probability 77.6")] * 4)
    assert screen.show([row("probability 77.6")] * 3 + [row("probability 77.9")]) == ("\x1b[4;16H9")
    assert screen.show([row("probability 77.6")] * 3 + [row("probability 77.9")]) == ""


def test_changes_near_each_other_are_sent_as_one() -> None:
    screen = Screen()
    screen.show([row("0123456789")] * 4)
    assert screen.show([row("x12345x789")] + [row("0123456789")] * 3).endswith("Hx12345x")
    assert screen.show([row("x12345x7890123zz")] + [row("0123456789")] * 3).endswith("H0123zz")


def test_only_the_changed_attributes_of_a_style_are_sent() -> None:
    screen = Screen()
    both = Strip(
        [Segment("a", Style.parse("red on blue")), Segment("b", Style.parse("green on blue"))]
    )
    written = screen.show([both.adjust_cell_length(SIZE.width)] + [row("")] * 3)
    assert written.startswith("\x1b[1;1H\x1b[31;44ma\x1b[32mb\x1b[39;49m ")


def test_rows_with_wide_characters_are_sent_whole() -> None:
    screen = Screen()
    screen.show([row("中 1")] * 4)
    assert "中 2" in screen.show([row("中 2")] + [row("中 1")] * 3)


def test_after_forgetting_everything_is_sent() -> None:
    screen = Screen()
    rows = [row("word")] * 4
    first = screen.show(rows)
    screen.diff.forget()
    assert screen.show(rows) == first


class Page(RemoteTerminal):
    """An app whose parts change one by one, as on the screens of tutor."""

    CSS = "Screen { layout: vertical; } VerticalScroll { height: 6; } #low { height: 1; width: 9; }"

    def compose(self) -> ComposeResult:
        yield Static("title", id="title")
        with VerticalScroll():
            yield Static("\n".join(f"line {number}" for number in range(20)), id="long")
        yield Static("low", id="low")


def drawn(app: App[None]) -> list[str]:
    return [strip.text for strip in app.screen._compositor.render_strips()]


async def test_partial_updates_result_in_the_picture_that_textual_has() -> None:
    app = Page()
    app.draw_over(SSH)
    async with app.run_test(size=(30, 10)) as pilot:
        assert app.throttled is not None
        diff = app.throttled.diff
        for change in (
            lambda: app.query_one("#title", Static).update("another title"),
            lambda: app.query_one("#low", Static).update("123456789abc"),
            lambda: app.query_one(VerticalScroll).scroll_relative(y=3, animate=False),
            lambda: app.query_one("#low", Static).remove(),
        ):
            change()
            await pilot.pause()
            assert [row.text for row in diff.wanted] == drawn(app)
        await pilot.resize_terminal(20, 8)
        await pilot.pause()
        assert [row.text for row in diff.wanted] == drawn(app)


async def test_on_a_fast_line_no_picture_is_kept() -> None:
    app = Page()
    async with app.run_test(size=(30, 10)):
        assert app.throttled is None


@pytest.mark.parametrize("system", ["standard", "256", "truecolor"])
def test_only_colors_that_the_terminal_has_are_sent(system: str) -> None:
    diff = ScreenDiff()
    diff.put(update([row("x", "#e8b04b")] * 4), SIZE)
    changes = diff.changes(system)
    assert changes is not None
    assert ("38;5;" in changes.written) is (system == "256")
    assert ("38;2;" in changes.written) is (system == "truecolor")
