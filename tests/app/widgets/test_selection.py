"""Test that the selected row of a list or table is highlighted over its full width."""

from __future__ import annotations

import pytest
from textual.content import Content

from tutor.app.theme import SELECTED
from tutor.app.widgets.selection import highlighted, mark, selected
from tutor.labs.kit.columns import Column, beside, row
from tutor.labs.kit.tabs import tabs

COLUMNS = (Column("name", 6), Column("count", 6, right=True))


def extents(line: Content) -> list[tuple[int, int]]:
    """Return the start and end of the spans with the background of the selected row."""
    return [(span.start, span.end) for span in line.spans if span.style == SELECTED]


@pytest.mark.parametrize("here", [True, False])
def test_only_the_row_in_focus_is_highlighted(here: bool) -> None:
    line = highlighted(row(COLUMNS, ("one", "1"), here=here), 30)
    assert extents(line) == ([(0, 30)] if here else [])
    assert line.plain.startswith("› one" if here else "  one")


def test_a_row_keeps_its_text_when_it_is_too_long() -> None:
    line = Content.assemble(mark(True), "x" * 40)
    assert highlighted(line, 30).plain == line.plain


def test_tabs_are_no_row() -> None:
    line = tabs([("parts", True), ("items", False)])
    assert line.plain.startswith("› parts")
    assert highlighted(line, 30) is line


def test_blocks_side_by_side_have_their_own_highlights() -> None:
    left = [row(COLUMNS, ("one", "1"), here=True), row(COLUMNS, ("two", "2"))]
    right = [Content("one more line"), row(COLUMNS, ("three", "3"), here=True)]
    first, second = (highlighted(line, 60) for line in beside(left, right, 20))
    assert extents(first) == [(0, 18)]
    assert extents(second) == [(20, 34)]


def test_a_terminal_without_a_color_for_the_background_swaps_the_colors() -> None:
    line = selected(Content.assemble(("> ", "bold"), "one"), 30, reverse=True)
    assert [(span.start, span.end) for span in line.spans if span.style == "reverse"] == [(0, 30)]
    assert not extents(line)
