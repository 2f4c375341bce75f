"""Test that a lab's lines fill the width that the scrollbar leaves."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from tutor.app.widgets.lines import Lines
from tutor.labs.kit.view import LabView

SIZE = (40, 12)


class Rows(LabView):
    """A view whose state is its number of rows, each as wide as the view."""

    def lines(self, state: int, width: int, height: int) -> list[Content]:
        return [Content("=" * width)] * state


class Only(App[None]):
    CSS = "LabView { scrollbar-size-vertical: 1; }"

    def compose(self) -> ComposeResult:
        yield Rows()


def widths(app: App[Any]) -> set[int]:
    return {line.cell_length for line in app.query_one("#lines", Lines)._lines}


@pytest.mark.parametrize("rows", [11, 12, 13])
@pytest.mark.parametrize("before", [1, 30])
async def test_the_width_does_not_depend_on_the_previous_state(before: int, rows: int) -> None:
    async with Only().run_test(size=SIZE) as pilot:
        view = pilot.app.query_one(Rows)
        view.show(before)
        await pilot.pause()
        view.show(rows)
        first = widths(pilot.app)
        await pilot.pause()
        view.show(rows)
        assert widths(pilot.app) == first == {39 if rows > 12 else 40}
        assert view.show_vertical_scrollbar == (rows > 12)
