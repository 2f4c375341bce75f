"""Test the menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from textual.app import App
from textual.containers import VerticalScroll
from textual.content import Content

from tests.app.explorer.explorer_stage import shown
from tests.app.pressing import tap
from tutor.app.theme import MANY_COLORS
from tutor.app.widgets.menu import Menu
from tutor.app.widgets.static import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Listing(App[None]):
    """An app with a menu of 500 entries of `lines` lines each."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self._lines = lines
        self.drawn: list[int] = []
        self.register_theme(MANY_COLORS)
        self.theme = MANY_COLORS.name

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Menu()

    def on_mount(self) -> None:
        menu = self.query_one(Menu)
        menu.styles.height = "auto"
        menu.show([partial(self._row, number) for number in range(500)], flat=self._lines == 1)
        menu.focus()

    def _row(self, number: int, width: int) -> Content:
        self.drawn.append(number)
        return Content("\n".join(f"entry {number}, line {line}" for line in range(self._lines)))


async def test_only_what_is_in_view_is_drawn() -> None:
    app = Listing(lines=1)
    async with app.run_test(size=(40, 24)) as pilot:
        await pilot.pause()
        assert "› entry 0, line 0" in shown(app)
        assert set(app.drawn) == set(range(24))
        app.drawn.clear()
        await pilot.press(*["down"] * 30)
        await pilot.pause()
        assert "› entry 30, line 0" in shown(app)
        assert shown(app).count("›") == 1
        assert app.drawn == list(range(24, 31))


async def test_entries_of_several_lines_are_one_above_the_other() -> None:
    app = Listing(lines=3)
    async with app.run_test(size=(40, 24)) as pilot:
        await pilot.press("down", "down")
        await pilot.pause()
        lines = [line.rstrip() for line in shown(app).split("\n")]
        assert lines[5:8] == ["  entry 1, line 2", "› entry 2, line 0", "  entry 2, line 1"]
        assert lines[0] == "  entry 0, line 0"


async def test_keys_for_the_ends_and_pages_move_the_mark() -> None:
    app = Listing(lines=1)
    async with app.run_test(size=(40, 24)) as pilot:
        for key, entry in (
            ("end", 499),
            ("pageup", 476),
            ("home", 0),
            ("pageup", 0),
            ("pagedown", 23),
            ("space", 46),
        ):
            await pilot.press(key)
            await pilot.pause()
            assert f"› entry {entry}, line 0" in shown(app)
            assert shown(app).count("›") == 1


class Below(Listing):
    """A menu between two texts that do not fit on the screen together with an entry."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            for begin in ("before", "after"):
                if begin == "after":
                    yield Menu()
                yield Static("\n".join(f"{begin} {line}" for line in range(40)))


async def test_at_the_first_and_last_entry_the_text_around_the_list_is_paged() -> None:
    app = Below(lines=1)
    async with app.run_test(size=(40, 24)) as pilot:
        for key, line in (
            ("down", "› entry 1,"),
            ("home", "before 0"),
            ("end", "› entry 499,"),
            ("end", "after 39"),
            ("home", "before 0"),
            ("down", "› entry 1,"),
            ("up", "› entry 0,"),
            ("pageup", "before 17"),
            ("pageup", "before 0"),
            ("pagedown", "before 23"),
            ("pagedown", "› entry 23,"),
            ("pagedown", "› entry 46,"),
            ("pageup", "› entry 23,"),
            ("end", "› entry 499,"),
            ("space", "after 20"),
        ):
            await tap(pilot, key)
            assert any(each.startswith(line) for each in shown(app).split("\n")), (key, line)


@pytest.mark.parametrize("lines", [1, 10])
async def test_no_line_is_skipped_by_paging(lines: int) -> None:
    app = Below(lines=lines)
    async with app.run_test(size=(40, 24)) as pilot:
        scroll = app.query_one(VerticalScroll)
        await tap(pilot, "home")
        for key in (*["space"] * 9, *["pageup"] * 9):
            before = scroll.scroll_y
            await tap(pilot, key)
            assert 0 < abs(scroll.scroll_y - before) <= scroll.size.height
        assert scroll.scroll_y <= scroll.size.height


async def test_the_chosen_entry_is_highlighted_over_its_full_width() -> None:
    app = Listing(lines=2)
    async with app.run_test(size=(40, 24)) as pilot:
        await pilot.press("down")
        await pilot.pause()
        rows = [highlighted_columns(app, y) for y in range(6)]
        assert rows == [0, 0, 38, 38, 0, 0]


def highlighted_columns(app: App[None], y: int) -> int:
    """Return the number of columns of a row whose background differs from the screen's.

    The scroll bar does not count.
    """
    strip = app.screen._compositor.render_strips()[y].crop(0, 38)
    usual = app.screen.rich_style.bgcolor
    return sum(
        segment.cell_length
        for segment in strip
        if segment.style is not None and segment.style.bgcolor not in (None, usual)
    )


async def test_a_click_does_not_select_a_heading() -> None:
    app = Listing(lines=1)
    async with app.run_test(size=(40, 24)) as pilot:
        menu = app.query_one(Menu)
        menu.show([partial(app._row, number) for number in range(9)], 1, headings={0, 4})
        await pilot.pause()
        await pilot.click(menu, offset=(3, 4))
        assert menu.cursor == 1
        await pilot.click(menu, offset=(3, 5))
        assert menu.cursor == 5


async def test_a_menu_without_entries_has_nothing_to_choose_or_to_copy() -> None:
    """Keys may arrive before the entries do."""
    app = Listing(lines=1)
    async with app.run_test(size=(40, 24)) as pilot:
        menu = Menu()
        await app.mount(menu)
        menu.focus()
        await pilot.press("enter", "down", "end")
        assert (list(menu.copies()), menu.announcement()) == ([], None)
