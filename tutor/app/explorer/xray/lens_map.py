"""The view of the logit lens over all positions: what each layer would predict after each token."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.content import Content

from tutor.app.explorer.xray.inside import AskLens
from tutor.app.explorer.xray.tab import Selection, Tab, moved
from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.clicks import focusing
from tutor.app.widgets.layout import with_first_that_fits
from tutor.labs.kit import heat
from tutor.labs.kit.columns import Cell, around, cursor
from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.explorer.xray.inside import ChosenHead, Findings, Request
    from tutor.labs.kit.columns import Room
    from tutor.lm.distribution import LensRow

_LABEL = 6
_NARROWEST, _WIDEST = 8, 16
"""The minimum and maximum width of a column, in cells, without the space after it."""


class LensMapTab(Tab):
    """A table with a row for each layer, the last one at the top, and a column for each token."""

    id = "lens-map"
    name = _("lens map")
    actions: ClassVar = frozenset({"layer", "position"})

    def __init__(self, chosen: ChosenHead) -> None:
        super().__init__(chosen)
        self._layer: int | None = None
        """The selected layer, or None for the last one."""
        self._visible: range = range(0)
        """The positions that were drawn last."""

    @property
    def selection(self) -> Selection:
        return Selection(self._layer)

    def select(self, selection: Selection) -> None:
        self._layer = selection.row

    def ready(self, found: Findings) -> bool:
        return bool(found.lens)

    def missing(self, found: Findings) -> Request | None:
        wanted = sorted({found.position, *self._visible}, key=lambda at: abs(at - found.position))
        return next((AskLens(at) for at in wanted if at not in found.lens), None)

    def heading(self, found: Findings, width: int) -> Content:
        layer, name = self._at(found), figures.shown(found.token)
        place = Content.assemble((_("layer "), MUTED), (f"{layer:>2}", "bold"))
        after = Content.styled(_("  after {name}").format(name=name), MUTED)
        rows = found.lens.get(found.position)
        if rows is None:
            return Content.assemble(place, after, (_("  computing…"), MUTED))
        row = rows[layer]
        share = f" {figures.percent(row.top_probability)}"
        room = width - place.cell_length - 2 - len(share)
        token = figures.shown(row.top)
        if after.cell_length + cell_len(token) > room:  # the first line names the token, too
            after = Content("")
            token = figures.fit(token, min(room, cell_len(token)))
        said = Content.assemble(place, after, "  ", (token, "bold"), share)
        return with_first_that_fits(said, [f"  {heat.LEGEND}"], width)

    def lines(self, found: Findings, room: Room) -> list[Content]:
        last, layer = _last_layer(found), self._at(found)
        count = len(found.path)
        cell = (room.width - _LABEL) // count - 1
        cell = min(_WIDEST, max(_NARROWEST, cell))
        shown = around(found.position, count, (room.width - _LABEL) // (cell + 1))
        self._visible = shown
        names: list[Cell] = [
            (
                f"{figures.fit(figures.shown(found.path[at]), cell)} ",
                "bold" if at == found.position else MUTED,
            )
            for at in shown
        ]
        lines = [Content.assemble((f"{_('layer'):>5} ", MUTED), *names)]
        for row in around(last - layer, last + 1, room.height - 1):
            each = last - row
            here = each == layer
            parts: list[Cell | Content] = [
                cursor(here),
                (f"{each:>3} ", "bold" if here else MUTED),
            ]
            for at in shown:
                rows = found.lens.get(at)
                selected = here and at == found.position
                drawn = _cell(rows[each] if rows else None, cell, reverse=selected)
                moves = {"layer": each - layer, "position": at - found.position}
                parts.append(focusing(Content.assemble(*drawn), **moves))
            lines.append(Content.assemble(*parts))
        return lines

    def _at(self, found: Findings) -> int:
        """Return the selected layer. Layer 0 is the embedding."""
        last = _last_layer(found)
        return last if self._layer is None else min(self._layer, last)

    def move(self, found: Findings, what: str, by: int) -> None:
        if found.lens:
            self._layer = moved(self._at(found), by, _last_layer(found) + 1)


def _last_layer(found: Findings) -> int:
    """Return the number of the last layer. The lens must be known for at least one position."""
    return len(next(iter(found.lens.values()))) - 1


def _cell(row: LensRow | None, width: int, *, reverse: bool) -> list[Cell]:
    """Draw the top token, with a glyph and a color for its probability."""
    end = " reverse" if reverse else ""
    if row is None:
        return [("…".ljust(width), f"{MUTED}{end}"), " "]
    glyph, style = heat.cell(row.top_probability)
    name = figures.fit(figures.shown(row.top), width - 1)
    return [(f"{glyph}{name}", f"{style}{end}"), " "]
