"""The status line. It says where the learner is, and describes the model."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tutor.app.theme import MUTED, NOT_YET

SEPARATOR = " · "
_LEAST_PLACE = 24
"""The minimum width of `place`, in columns.

The right side is shortened first, until `place` has at least this width.
"""


class TopLine(Widget):
    """The status line.

    `place` says where the learner is, from the general to the specific, separated by `SEPARATOR`.
    `aside` is a note about the current screen, whose most important part comes first. `model`
    describes the model's state in words, and `model_mark` is a symbol for the state. If there is
    too little room, the right side is shortened first, and then the general parts of `place`.
    `warning` is always shown.
    """

    place: reactive[str] = reactive("")
    aside: reactive[str] = reactive("")
    model: reactive[str] = reactive("")
    model_mark: reactive[str] = reactive("")
    warning: reactive[str] = reactive("")

    def render(self) -> Content:
        warning = f"  {self.warning}" if self.warning else ""
        width = self.content_size.width - cell_len(warning)
        wanted = min(cell_len(self.place), _LEAST_PLACE)
        for parts in (
            (self.aside, self.model),
            (self.aside.partition(SEPARATOR)[0], self.model),
            (self.model,),
            (self.aside, self.model_mark),
            (self.model_mark,),
        ):
            right = "  ".join(filter(None, parts))
            if wanted + 2 + cell_len(right) <= width:
                break
        place = Content(fitted(self.place, width - cell_len(right) - 2))
        gap = " " * max(0, width - place.cell_length - cell_len(right))
        return Content.assemble(
            place.stylize("bold"), gap, (right, MUTED), (warning, f"bold {NOT_YET}")
        )


def fitted(place: str, width: int) -> str:
    """Shorten `place` to at most `width` columns. Its last part is shortened only if necessary."""
    if cell_len(place) <= width:
        return place
    general, separator, particular = place.rpartition(SEPARATOR)
    tail = separator + particular
    room = width - cell_len(tail)
    if not separator or room < 2:
        return Content(particular).truncate(max(1, width), ellipsis=True).plain
    return Content(general).truncate(room, ellipsis=True).plain + tail
