"""The status line: where you are on the left, what holds everywhere on the right."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tutor.app.theme import MUTED

SEPARATOR = " · "
_LEAST_PLACE = 24
"""Columns that `place` keeps: before it is cut further, what stands on the right is shortened."""


class TopLine(Widget):
    """`place` says where you are, from the general to the particular, joined by `SEPARATOR`;
    `aside` what is particular to this screen; `model` how the model is doing, `model_mark` the
    same in a sign. Where the line is too narrow, the right side is shortened first, then the
    general part of `place`: the particular part stays."""

    place: reactive[str] = reactive("")
    aside: reactive[str] = reactive("")
    model: reactive[str] = reactive("")
    model_mark: reactive[str] = reactive("")

    def render(self) -> Content:
        width = self.content_size.width
        wanted = min(cell_len(self.place), _LEAST_PLACE)
        for parts in (
            (self.aside, self.model),
            (self.model,),
            (self.aside, self.model_mark),
            (self.model_mark,),
        ):
            right = "  ".join(filter(None, parts))
            if wanted + 2 + cell_len(right) <= width:
                break
        place = Content(fitted(self.place, width - cell_len(right) - 2))
        gap = " " * max(0, width - place.cell_length - cell_len(right))
        return Content.assemble(place.stylize("bold"), gap, (right, MUTED))


def fitted(place: str, width: int) -> str:
    """`place` in at most `width` columns, its last part whole as long as that is possible."""
    if cell_len(place) <= width:
        return place
    general, separator, particular = place.rpartition(SEPARATOR)
    tail = separator + particular
    room = width - cell_len(tail)
    if not separator or room < 2:
        return Content(particular).truncate(max(1, width), ellipsis=True).plain
    return Content(general).truncate(room, ellipsis=True).plain + tail
