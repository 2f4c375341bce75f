"""The status line: where you are on the left, what holds everywhere on the right, then a rule."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tutor.app.theme import MUTED


class TopLine(Widget):
    """`place` says where you are; `aside` what is particular to this screen; `model` how the
    model is doing. When the line is too narrow, `aside` goes first, then `place` is cut."""

    place: reactive[str] = reactive("", layout=False)
    aside: reactive[str] = reactive("", layout=False)
    model: reactive[str] = reactive("", layout=False)

    def render(self) -> Content:
        width = self.content_size.width
        for right in ("  ".join(filter(None, (self.aside, self.model))), self.model):
            room = width - cell_len(right) - 2
            if cell_len(self.place) <= room or right == self.model:
                break
        if room < 12:  # Where you are matters more than the state of the model.
            right, room = "", width
        place = Content(self.place).truncate(max(1, room), ellipsis=True)
        gap = " " * max(0, width - place.cell_length - cell_len(right))
        return Content.assemble(place.stylize("bold"), gap, (right, MUTED))
