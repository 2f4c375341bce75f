"""Test that the height of a `Lines` widget depends on the number of its lines."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Size

from tutor.app.widgets.lines import Lines


class LinesApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Lines()


def lines(count: int) -> list[Content]:
    return [Content(f"line {number}") for number in range(count)]


async def test_the_height_follows_two_changes_before_one_layout() -> None:
    app = LinesApp()
    async with app.run_test(size=(40, 12)) as pilot:
        shown = app.query_one(Lines)
        shown.show(lines(3))
        await pilot.pause()
        shown.show(lines(5))
        app.screen._clear_arrangement_cache()
        app.screen._refresh_layout()  # another widget's layout, which measures this one too
        shown.show(lines(8))
        await pilot.pause()
        assert shown.size == Size(40, 8)
