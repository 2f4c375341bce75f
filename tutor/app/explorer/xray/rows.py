"""The rows of the x-ray and the heading above them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.widgets.lines import Lines, first_said

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Rows(Lines):
    """The rows of a view. If no row is selected, the heading is announced instead."""

    def __init__(self, heading: Lines) -> None:
        super().__init__(id="rows")
        self._heading = heading

    def announcement(self) -> str | None:
        return super().announcement() or first_said([self._heading])


def rows_with_heading() -> Iterator[Lines]:
    """Yield the widget for the heading and the widget for the rows."""
    heading = Lines(id="about")
    yield heading
    yield _Rows(heading)
